"""HTML elements, tables, and pages that need no other file."""

import re
from collections.abc import Iterable, Mapping
from html import escape

from fplbench.reporting.style import STYLE


def element(name: str, *content: str, **attributes: str) -> str:
    """An element with content that is already HTML; for attributes see `void`."""
    return f"{void(name, **attributes)}{''.join(content)}</{name}>"


def void(name: str, **attributes: str) -> str:
    """An element that has no content, such as img.

    Attributes without a value are left out. Their names may end in an underscore (class_), and have one for each hyphen.
    """
    written = "".join(f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"' for key, value in attributes.items() if value)
    return f"<{name}{written}>"


def text(name: str, content: str, **attributes: str) -> str:
    """An element with plain text, which is escaped."""
    return element(name, escape(content), **attributes)


def anchor(*words: str) -> str:
    """An id to link to, from words that may hold anything."""
    return "-".join(re.sub(r"[^\w.-]+", "-", word) for word in words)


def table(caption: str, head: Iterable[str], bodies: Iterable[Iterable[str]], label: str = "Table") -> str:
    """A table, which scrolls horizontally if it is too wide, below its caption, which does not.

    Args:
        caption: plain text; "" for none.
        head: the cells of the head, as HTML.
        bodies: groups of rows; each row is the HTML of its cells.
        label: what a screen reader calls the table.
    """
    above = text("p", caption, class_="caption") if caption else ""
    top = element("thead", element("tr", *head))
    groups = "".join(element("tbody", *(element("tr", row) for row in body)) for body in bodies)
    # The arrow keys scroll what has the focus.
    return above + element("div", element("table", top, groups), class_="scroll", tabindex="0", role="group", aria_label=label)


def folded(title: str, *content: str) -> str:
    """Numbers that are shown on a click on their title, and are printed."""
    return element("details", text("summary", title), *content, class_="numbers")


def notes(items: Iterable[str]) -> str:
    """A list of plain texts below a table; "" if there are none."""
    found = [text("li", item) for item in items if item]
    return element("ul", *found, class_="note") if found else ""


def links(places: Mapping[str, str]) -> str:
    """A line of links: titles by address; "" if there are none."""
    found = [text("a", title, href=address) for address, title in places.items()]
    return element("p", *found, class_="links") if found else ""


def page(title: str, body: str, contents: Mapping[str, str] | None = None) -> str:
    """A complete page that includes its style sheet.

    Args:
        title: plain text.
        body: HTML below the title.
        contents: titles of sections by id, for a bar of contents that stays at the top; None for none.
    """
    settings = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    head = element("head", settings, text("title", title), element("style", STYLE))
    items = [element("li", text("a", name, href=f"#{place}")) for place, name in (contents or {}).items()]
    bar = element("nav", element("ul", *items), class_="contents", aria_label="Contents") if items else ""
    main = element("main", text("h1", title), bar, body)
    return f'<!DOCTYPE html>\n<html lang="en">{head}{element("body", main)}</html>\n'

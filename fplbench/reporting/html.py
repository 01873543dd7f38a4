"""HTML elements, tables, and pages that need no other file."""

from collections.abc import Iterable
from html import escape

STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; max-width: 1200px; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a; }
h1 { font-size: 1.7rem; } h2 { margin-top: 2.5rem; border-bottom: 1px solid #ccc; } h3 { margin-top: 1.8rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; margin: .6rem 0; }
p.caption { margin: 1rem 0 .3rem; font-size: 14px; max-width: 62rem; }
ul.note { font-size: 13px; max-width: 62rem; padding-left: 1.2rem; }
th, td { padding: .22rem .4rem; text-align: right; white-space: nowrap; vertical-align: top; }
thead th { white-space: normal; border-top: 2px solid #333; border-bottom: 1px solid #333; vertical-align: bottom; }
tbody tr:first-child > * { border-top: 1px solid #999; }
tbody:last-child { border-bottom: 2px solid #333; }
tbody th, td.text, th.text { text-align: left; font-weight: normal; }
tbody th.block { font-weight: 600; white-space: normal; max-width: 6.5rem; }
td.best { font-weight: 700; background: #eef4ea; } td.better { background: #eef4ea; } td.worse { background: #fbecea; }
td small { display: block; color: #666; font-weight: 400; font-size: 10px; }
figure { margin: 1.2rem 0; } figure img { max-width: 100%; } figcaption { color: #444; }
.note { color: #444; } code { font-size: 13px; }
"""


def element(name: str, *content: str, **attributes: str) -> str:
    """An element with content that is already HTML; attribute names may end in an underscore (class_)."""
    written = "".join(f' {key.rstrip("_")}="{escape(value)}"' for key, value in attributes.items() if value)
    return f"<{name}{written}>{''.join(content)}</{name}>"


def text(name: str, content: str, **attributes: str) -> str:
    """An element with plain text, which is escaped."""
    return element(name, escape(content), **attributes)


def table(caption: str, head: Iterable[str], bodies: Iterable[Iterable[str]]) -> str:
    """A table, which scrolls horizontally if it is too wide, below its caption, which does not.

    Args:
        caption: plain text; "" for none.
        head: the cells of the head, as HTML.
        bodies: groups of rows; each row is the HTML of its cells.
    """
    groups = "".join(element("tbody", *(element("tr", row) for row in body)) for body in bodies)
    above = text("p", caption, class_="caption") if caption else ""
    return above + element("div", element("table", element("thead", element("tr", *head)), groups), class_="scroll")


def notes(items: Iterable[str]) -> str:
    """A list of plain texts below a table; "" if there are none."""
    found = [text("li", item) for item in items if item]
    return element("ul", *found, class_="note") if found else ""


def page(title: str, body: str) -> str:
    """A complete page that includes its style sheet."""
    settings = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    head = element("head", settings, text("title", title), element("style", STYLE))
    return f'<!DOCTYPE html>\n<html lang="en">{head}{element("body", text("h1", title), body)}</html>\n'

"""The explorer's web page: its template, style sheet, modules, and the libraries that they use, bundled into one file."""

import json
from collections.abc import Mapping
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from fplbench.reporting.web.modules import bundle_modules

FOLDER = Path(__file__).parent
VENDOR = FOLDER / "vendor"
LIBRARIES = {
    "img-comparison-slider": "img-comparison-slider.js",
    "sortable-tablesort": "sortable.min.js",
    "uplot": "uPlot.iife.min.js",
}
"""Vendored script of each library. Its licence is beside it, in {library}.LICENSE.txt."""
STYLES = ("vendor/img-comparison-slider.css", "vendor/uPlot.min.css", "style.css", "panels.css")


def bundle_page(data: Mapping[str, Any]) -> str:
    """The explorer page of a data set: one HTML file that loads nothing else.

    Args:
        data: what the page shows, as `fplbench.reporting.explorer.explorer_data` gives it: labels, notes, scores, and images as
            data: URIs of 8-bit grey PNG files.

    Returns:
        The HTML. Its content security policy forbids every request.

    Raises:
        ValueError: the data contain NaN or infinity, which JSON does not have; a missing score is None.
    """
    return Template(_read("index.html")).substitute(
        title=escape(data["title"]),
        style="\n".join(_read(name) for name in STYLES),
        data=_inline_json(data),
        scripts="\n".join(f"<script>\n{script}\n</script>" for script in (*map(_library, LIBRARIES), bundle_modules(FOLDER))),
    )


def _inline_json(data: Mapping[str, Any]) -> str:
    """JSON that is safe inside a script element: no tag can begin in it."""
    return json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


def _library(name: str) -> str:
    """A vendored script below its licence, which has to be in every copy."""
    licence = (VENDOR / f"{name}.LICENSE.txt").read_text(encoding="utf-8").strip()
    return f"/* {name}\n\n{licence}\n*/\n{(VENDOR / LIBRARIES[name]).read_text(encoding='utf-8').strip()}"


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8").strip()

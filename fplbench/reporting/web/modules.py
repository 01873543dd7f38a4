"""Bundling ES modules into one script, so that a page works from the file system, where browsers refuse to import modules."""

import re
from pathlib import Path

ENTRY = "main.js"
_IMPORT = re.compile(r'^import \{ ([\w, ]+) \} from "\./([\w.]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?function|const|let|class)", re.MULTILINE)
_LEFT_OVER = re.compile(r"^\s*(?:import|export)\b.*", re.MULTILINE)


def bundle_modules(folder: Path) -> str:
    """Concatenate main.js and all modules that it imports, each after those that it imports itself.

    Import lines and the word `export` are removed, and the whole becomes the body of one function. All modules then share one
    scope, so their names at the top level must differ; tests check that.

    Args:
        folder: folder of the modules. They import each other by lines such as `import { a, b } from "./name.js";` and export
            declarations.

    Raises:
        ValueError: modules import each other in a circle, or there is an import or export of another form.
    """
    bodies = [_body((folder / name).read_text(encoding="utf-8"), name) for name in module_order(folder)]
    return '(() => {\n"use strict";\n' + "\n".join(bodies) + "\n})();"


def module_order(folder: Path) -> list[str]:
    """Names of main.js and all modules that it imports, each after those that it imports itself."""
    ordered: list[str] = []
    open_modules: list[str] = []

    def visit(name: str) -> None:
        if name in open_modules:
            raise ValueError(f"Modules import each other in a circle: {' -> '.join([*open_modules, name])}.")
        if name in ordered:
            return
        open_modules.append(name)
        for match in _IMPORT.finditer((folder / name).read_text(encoding="utf-8")):
            visit(match[2])
        ordered.append(open_modules.pop())

    visit(ENTRY)
    return ordered


def _body(source: str, name: str) -> str:
    body = _EXPORT.sub("", _IMPORT.sub("", source)).strip()
    if left := _LEFT_OVER.search(body):
        raise ValueError(f"{name}: the bundler does not know this form: {left[0].strip()}")
    return f"// {name}\n{body}"

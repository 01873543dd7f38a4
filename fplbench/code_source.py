"""What runs of a source file, without comments, docstrings, layout, and the descriptions of options.

Every start of the workflow asks for some hundred files, so what was found is kept in the user's folder for caches, by the
content of the file: nothing there can be out of date.
"""

import ast
import hashlib
import json
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from fplbench.files import write_text
from fplbench.user_cache import user_cache

PACKAGE = "fplbench"
MOST = 3000  # files that are kept


class Source(NamedTuple):
    """A hash of what runs of a file, (module, name) of all that it imports from the package, and what it defines."""

    digest: str
    imports: list[tuple[str, str]]
    definitions: set[str]


def read_source(file: Path) -> Source:
    """What runs of a file."""
    content = file.read_bytes()
    key = hashlib.sha256(content).hexdigest()
    kept = _kept()
    try:
        digest, imports, definitions = kept[key]
        return Source(digest, [(module, name) for module, name in imports], {*definitions})
    except (KeyError, TypeError, ValueError):  # it is new, or somebody wrote into the file
        source = _parse(content)
        kept[key] = [source.digest, source.imports, sorted(source.definitions)]
        _Kept.new = True
        return source


def keep_sources() -> None:
    """Write down what was found, for the next process; where that is not possible, nothing happens."""
    if _Kept.new:
        _Kept.new = False
        with suppress(OSError, RuntimeError):
            write_text(_cache_file(), json.dumps(dict([*_kept().items()][-MOST:])))


class _Kept:
    """Whether anything was found in this process that is not kept yet."""

    new = False


@cache
def _kept() -> dict[str, Any]:
    try:
        kept = json.loads(_cache_file().read_text(encoding="utf-8"))
    except (OSError, ValueError, RuntimeError):  # there is none, it is damaged, or the user has no home
        return {}
    return kept if isinstance(kept, dict) else {}


def _cache_file() -> Path:
    """One for each version of this file, and of Python, which writes a syntax tree its own way."""
    own = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    return user_cache() / f"code-{sys.version_info.major}.{sys.version_info.minor}-{own}.json"


def _parse(content: bytes) -> Source:
    bare = _Bare()
    tree = bare.visit(ast.parse(content))
    definitions = {node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    return Source(hashlib.sha256(ast.unparse(tree).encode()).hexdigest(), bare.imports, definitions)


class _Bare(ast.NodeTransformer):
    """Leaves out strings that stand alone, blocks for type checkers, and the descriptions of options; notes imports.

    The name of an import is empty for `import module`.
    """

    def __init__(self) -> None:
        self.imports: list[tuple[str, str]] = []

    def visit_Import(self, node: ast.Import) -> ast.AST:
        self.imports += [(alias.name, "") for alias in node.names if _is_ours(alias.name)]
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        if node.module and _is_ours(node.module):
            self.imports += [(node.module, alias.name) for alias in node.names]
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            return None
        return self.generic_visit(node)

    def visit_If(self, node: ast.If) -> ast.AST | None:
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return None
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        node.keywords = [keyword for keyword in node.keywords if keyword.arg != "description"]
        return self.generic_visit(node)


def _is_ours(module: str) -> bool:
    return module == PACKAGE or module.startswith(f"{PACKAGE}.")

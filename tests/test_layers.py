"""The layout of the package: imports run one way, and files are short."""

import ast
from pathlib import Path

import pytest

import fplbench

PACKAGE = Path(fplbench.__file__).parent
# From the ground up: a module imports from its own line or from lines above.
LAYERS = (
    ("errors",),
    (
        "options",
        "files",
        "seeds",
        "published",
        "code_source",
        "code_hash",
        "packages",
        "gpu_lease",
        "parent",
        "clock",
        "user_cache",
    ),
    ("registry", "numerics", "device", "stacks"),
    ("losses", "networks", "peers", "noise", "datasets", "lesions"),
    ("explaining", "scoring", "downloads"),
    ("training", "denoising"),
    ("methods", "calibration"),
    ("config",),
    ("reporting",),
    ("planning",),
    ("applying",),
    ("verification",),
    ("doctor",),
    ("cli",),
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
FILES = sorted(PACKAGE.rglob("*.py"))


def place(module: str) -> str:
    """The top-level name below the package that a dotted module name belongs to."""
    return module.split(".")[1]


def imports(file: Path):
    """The dotted names that a file imports from the package, those inside functions and for type checkers too."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "fplbench":
            yield from (f"fplbench.{alias.name}" for alias in node.names if alias.name in LEVEL)
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("fplbench."):
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("fplbench."))


def test_every_module_has_its_level():
    top = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert top - {"__init__"} == LEVEL.keys()


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_no_import_runs_upwards(file):
    own = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if own == "__init__":
        return
    for module in imports(file):
        assert LEVEL[place(module)] <= LEVEL[own], f"{own} imports {module}"


def test_no_module_is_longer_than_250_lines():
    assert {str(file): count for file in FILES if (count := len(file.read_text().splitlines())) > 250} == {}

"""A hash of the code that does a job, so that a workflow can tell when to run it again.

It covers the module that does the work and what that module imports inside the package, at its top or inside functions.
Comments, docstrings, layout, and the descriptions of options change nothing. A registry imports its plug-ins by name when
the program runs, which no import statement shows, so a method's hash does not contain the other methods.
"""

import hashlib
import importlib.util
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from fplbench.code_source import PACKAGE, Source, keep_sources, read_source

DATA = (".csv", ".js", ".css", ".html")
# The package itself holds its version, and a default that rules give explicitly. The model of the config imports every training;
# what a job takes of the config are its parameters.
LEFT_OUT = (PACKAGE, f"{PACKAGE}.config.models")


def code_hash(*modules: str) -> str:
    """Hash of modules and of all that they import inside the package.

    Args:
        modules: dotted names, such as "fplbench.noise.synthesis".

    Returns:
        Twelve hexadecimal digits.

    Raises:
        ModuleNotFoundError: a module is not in the package.
    """
    return _hash_files(frozenset(modules))


@cache
def _hash_files(modules: frozenset[str]) -> str:
    digest = hashlib.sha256()
    for module in sorted(imported_modules(modules)):
        digest.update(f"{module}\n{_read(module).digest}\n".encode())
        for path in _data_files(module):
            digest.update(path.read_bytes())
    keep_sources()
    return digest.hexdigest()[:12]


def _data_files(module: str) -> list[Path]:
    """The tables, and parts of pages, that a package keeps beside its __init__."""
    file = _file(module)
    if file is None or not _is_package(module):
        return []
    files = [*file.parent.iterdir(), *file.parent.glob("vendor/*")]
    return sorted(path for path in files if path.suffix in DATA)


def imported_modules(modules: Iterable[str]) -> set[str]:
    """The modules themselves, and all that they import inside the package, directly or not."""
    found: set[str] = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting.extend(_imports(module))
    return found


@cache
def _imports(module: str) -> frozenset[str]:
    """Modules of the package that a module's import statements name."""
    return frozenset(
        target for name, attribute in _read(module).imports for target in _targets(name, attribute) if target not in LEFT_OUT
    )


def _targets(module: str, name: str) -> Iterator[str]:
    """The modules that `from module import name` depends on; through a package's __init__ to where the name is defined."""
    if not name:
        yield module
    elif _file(f"{module}.{name}") is not None:
        yield f"{module}.{name}"
    else:
        origin = _reexports(module).get(name) if _is_package(module) else None
        if origin is not None:
            yield from _targets(origin, name)
        else:
            yield from _lazy_exports(module, name) or [module]


@cache
def _reexports(package: str) -> dict[str, str]:
    """For each name that a package's __init__ imports from inside the package, the module it comes from."""
    return {name: module for module, name in _read(package).imports if name}


def _lazy_exports(package: str, name: str) -> list[str]:
    """The modules of a package that define a name which its __init__ looks up when it is asked for."""
    file = _file(package)
    if file is None or not _is_package(package) or "__getattr__" not in _read(package).definitions:
        return []
    modules = [f"{package}.{path.stem}" for path in sorted(file.parent.glob("*.py")) if path != file]
    return [package, *(module for module in modules if name in _read(module).definitions)]


@cache
def _read(module: str) -> Source:
    file = _file(module)
    if file is None:
        raise ModuleNotFoundError(f"{module} is not a module of {PACKAGE}")
    return read_source(file)


def _is_package(module: str) -> bool:
    file = _file(module)
    return file is not None and file.name == "__init__.py"


@cache
def _root() -> Path:
    specification = importlib.util.find_spec(PACKAGE)
    assert specification is not None and specification.origin is not None
    return Path(specification.origin).parent


@cache
def _file(module: str) -> Path | None:
    """The source file of a module of the package, or None."""
    place = _root().joinpath(*module.split(".")[1:])
    return next((file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file()), None)

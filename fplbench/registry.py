"""Registries, which find noises, data sets, trainings and methods by name, and the options that belong to them."""

import importlib
import pkgutil
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar, get_args

from pydantic import ValidationError

from fplbench.errors import InputError, nearest
from fplbench.options import Options

Entry = TypeVar("Entry")
Model = TypeVar("Model", bound=Options)
WORDS = {"tuple_type": "it must be a list of values, such as [1, 2]"}
"""What is said instead of pydantic's message, by the type of the problem."""


class Registry(Mapping[str, Entry]):
    """The entries of one kind, in alphabetical order.

    The modules of `package`, which register the entries, are imported at first use. They import heavy libraries inside
    their functions, so that looking up a name takes milliseconds.
    """

    def __init__(self, kind: str, package: str) -> None:
        self.kind = kind
        self.package = package
        self._entries: dict[str, Entry] = {}
        self._loaded = False
        self._loading = threading.RLock()

    def add(self, name: str, entry: Entry) -> None:
        """Register an entry; raises ValueError if the name is taken."""
        if name in self._entries:
            raise ValueError(f"the {self.kind} {name!r} is registered twice")
        self._entries[name] = entry

    def _load(self) -> dict[str, Entry]:
        with self._loading:  # a second thread waits until all entries are there
            if not self._loaded:
                self._loaded = True
                package = importlib.import_module(self.package)
                for module in pkgutil.iter_modules(package.__path__):
                    importlib.import_module(f"{self.package}.{module.name}")
                # Whoever imported a module of the package before changed the order.
                self._entries = dict(sorted(self._entries.items()))
        return self._entries

    def __getitem__(self, name: str) -> Entry:
        entries = self._load()
        if not isinstance(name, str):
            raise InputError(f"The name of a {self.kind} must be a string, not {type(name).__name__}.")
        if name not in entries:
            raise InputError(f"{name!r} is not a {self.kind}: {nearest(name, entries)}")
        return entries[name]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self._load()

    def __iter__(self) -> Iterator[str]:
        return iter(self._load())

    def __len__(self) -> int:
        return len(self._load())


def parse_options(model: type[Model], values: Mapping[str, Any], where: str) -> Model:
    """Build an options model from the keys and values that a user wrote.

    Args:
        model: the options model.
        values: the keys and values.
        where: the dotted location of `values`, for the message ("noises.gaussian").

    Raises:
        InputError: a key or value is wrong; the message is one sentence that names it.
    """
    if not isinstance(values, Mapping):
        raise InputError(f"{where} is {values!r}, but must be a mapping of options, such as {{}}.")
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        raise InputError(describe(error, model, where)) from None


def describe(error: ValidationError, model: type[Options], where: str) -> str:
    """Describe the first problem of a validation error in one sentence, with the dotted key and the nearest valid one."""
    problem = error.errors()[0]
    location = _location(problem)
    key = _key(where, location)
    if problem["type"] == "extra_forbidden":
        return f"{key} is not a known key: {nearest(location[-1], _fields(model, problem['loc'][:-1]))}"
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "value_error":
        return f"{key}: {message}" if key else message
    # There is one error for each member of a union.
    messages = dict.fromkeys(WORDS.get(other["type"], other["msg"]) for other in error.errors() if _location(other) == location)
    return f"{key} is {problem['input']!r}: {', or '.join(text[0].lower() + text[1:] for text in messages)}."


def _key(where: str, location: Sequence[str]) -> str:
    """The dotted key; within a file, the key and what holds it: "the window in card.json of model.zip"."""
    keys = [key for key in location if not key.isdigit()]
    if not keys or not re.search("[ /]", where):
        return ".".join([where, *location] if where else location)
    return f"The {'.'.join(keys)} in {where[0].lower() if where.startswith('The ') else where[0]}{where[1:]}"


def _location(problem: Mapping[str, Any]) -> list[str]:
    """The keys that lead to a problem. Within a union, pydantic adds the name of the type that it tried."""
    tried = ("bool", "int", "float", "str", "literal", "constrained-float", "constrained-int", "function-after")
    return [str(part) for part in problem["loc"] if str(part).partition("[")[0] not in tried]


def _fields(model: type[Options], path: tuple) -> list[str]:
    """Names of the fields of the nested model at `path`."""
    for part in path:
        annotation = model.model_fields[part].annotation if part in model.model_fields else None
        models = [kind for kind in (annotation, *get_args(annotation)) if hasattr(kind, "model_fields")]
        if not models:
            break
        model = models[0]
    return list(model.model_fields)

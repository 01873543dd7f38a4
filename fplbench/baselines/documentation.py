"""The methods and their options as text, from what they declare; docs/methods.md holds it."""

import json
from collections.abc import Iterator

from fplbench.baselines.registration import BASELINES, Baseline


def describe_methods(names: list[str] | None = None) -> str:
    """Markdown: a section a method, with a table of its options.

    Args:
        names: the methods; None for all, in alphabetical order.

    Raises:
        InputError: a name is unknown.
    """
    return "\n\n".join("\n".join(_section(BASELINES[name])) for name in names or sorted(BASELINES))


def _section(method: Baseline) -> Iterator[str]:
    yield f"### {method.name}"
    yield ""
    source = f" Source: {method.cites}." if method.cites else ""
    yield f'{method.summary.rstrip(".")}. Column "{method.label}".{source}'
    if method.options.model_fields:
        yield ""
        yield "| option | default | meaning | tuning tries |"
        yield "|---|---|---|---|"
    for name, field in method.options.model_fields.items():
        tried = ", ".join(_value(value) for value in method.grid.get(name, ()))
        yield f"| {name} | {_value(field.default)} | {field.description} | {tried} |"


def _value(value) -> str:
    return value if isinstance(value, str) else json.dumps(value)

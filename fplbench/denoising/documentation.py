"""The methods and their options as text, from what they declare; docs/methods.md holds it."""

from collections.abc import Iterator

from fplbench.denoising.registry import METHODS, Method
from fplbench.options import as_text, options_table


def describe_methods(names: list[str] | None = None) -> str:
    """Markdown: a section for each method, with a table of its options.

    Args:
        names: the methods; None for all, in alphabetical order.

    Raises:
        InputError: a name is unknown.
    """
    return "\n\n".join("\n".join(_section(METHODS[name])) for name in names or sorted(METHODS))


def _section(method: Method) -> Iterator[str]:
    yield f"### {method.name}"
    yield ""
    source = f" Source: {method.cites}." if method.cites else ""
    needs = f" Needs `pip install -e '.[{method.extra}]'`." if method.extra else ""
    yield f'{method.summary.rstrip(".")}. Column "{method.label}".{source}{needs}'
    if method.options.model_fields:
        tried = {name: ", ".join(map(as_text, values)) for name, values in method.grid.items()}
        yield ""
        yield options_table(method.options, "tuning tries", tried)

"""Every key of the config as text, from its models; docs/config.md holds it."""

from collections.abc import Iterator
from typing import get_args

from fplbench.config.models import Config
from fplbench.datasets import LOADERS
from fplbench.denoising.columns import EntryOptions
from fplbench.options import Options, options_table
from fplbench.training import TRAININGS


def describe_config() -> str:
    """Markdown: the keys of the config, then those of each section."""
    return "\n\n".join(_sections())


def _sections() -> Iterator[str]:
    yield options_table(Config)
    for name, model in _models():
        yield f"## {name}"
        yield (model.__doc__ or "").strip().partition("\n")[0]
        yield options_table(model)


def _models() -> Iterator[tuple[str, type[Options]]]:
    for name, dataset in LOADERS.items():
        for of, kind in (dataset.kinds or {"": dataset}).items():
            yield f"datasets.NAME, loader {name}{of and f', of {of}'}", kind.options
    yield "methods.NAME, beside the method's own options", EntryOptions
    for name, training in TRAININGS.items():
        if training.inherits is None:
            yield f"training.{name}", training.options
    yield from _nested(Config)


def _nested(model: type[Options], place: str = "") -> Iterator[tuple[str, type[Options]]]:
    """The models of fields that have keys of their own, and theirs."""
    for name, field in model.model_fields.items():
        for kind in get_args(field.annotation) or [field.annotation]:
            if isinstance(kind, type) and issubclass(kind, Options):
                yield f"{place}{name}", kind
                yield from _nested(kind, f"{place}{name}.")

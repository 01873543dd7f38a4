"""Every key of the config as text, from its models; docs/config.md holds it."""

from collections.abc import Iterator

from fplbench.config.models import Config
from fplbench.datasets import DATASETS
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
    for name, dataset in DATASETS.items():
        yield f"datasets.{name}", dataset.options
    yield "methods.NAME, beside the method's own options", EntryOptions
    for name, training in TRAININGS.items():
        if training.inherits is None:
            yield f"training.{name}", training.options
    for name, field in Config.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Options):
            yield name, field.annotation

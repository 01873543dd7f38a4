"""Every key of the config as text, from its models; docs/config.md holds it."""

from collections.abc import Iterator

from fplbench.baselines.selection import EntryOptions
from fplbench.config import Config
from fplbench.datasets import DATASETS
from fplbench.options import Options, options_table


def describe_config() -> str:
    """Markdown: the keys of the config, then those of each section."""
    return "\n\n".join(_sections())


def _sections() -> Iterator[str]:
    yield options_table(Config)
    for name, model in _models():
        yield f"## {name}"
        yield model.__doc__.strip().partition("\n")[0]
        yield options_table(model)


def _models() -> Iterator[tuple[str, type[Options]]]:
    for name, dataset in DATASETS.items():
        yield f"datasets.{name}", dataset.options
    yield "methods.NAME, beside the method's own options", EntryOptions
    for name, field in Config.model_fields.items():
        models = [kind for kind in (field.annotation, *getattr(field.annotation, "__args__", ())) if _is_model(kind)]
        if models:
            yield name, models[0]


def _is_model(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, Options)

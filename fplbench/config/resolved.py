"""Options completed with their defaults, and the config with all of them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fplbench.config.fits import steps_of_seconds
from fplbench.errors import InputError
from fplbench.noise import NOISES
from fplbench.registry import Registry, parse_options

if TYPE_CHECKING:
    from fplbench.config.models import Config


def resolve(config: "Config") -> dict[str, Any]:
    """The config with the defaults of data sets, noises and trainings filled in, as JSON values; it loads again."""
    datasets = {}
    for name, given in config.datasets.items():
        own = {"noises": given["noises"]} if given.get("noises") else {}
        datasets[name] = {"loader": config.dataset(name).loader, **config.dataset_options(name), **own}
    used = {training.name for training in config.trainings_of({**config.columns, **config.fair_columns})}
    used |= {"restoration"} if config.explains else set()
    return {
        **config.model_dump(mode="json"),
        "datasets": datasets,
        "noises": {
            name: complete(NOISES, name, levels(given), f"noises.{name}")
            | ({"datasets": given["datasets"]} if "datasets" in given else {})
            for name, given in config.noises.items()
        },
        "fair": {**config.fair.model_dump(mode="json"), "steps": steps_of_seconds(config)},
        "training": {name: config.training_options(name) for name in sorted({*config.training, *used})},
    }


def levels(given: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a noise, without the data sets that it is limited to."""
    return {key: value for key, value in given.items() if key != "datasets"}


def needs(noise: str) -> str | None:
    """What a noise needs besides the images: "hu", "pair", or nothing."""
    return NOISES[noise].needs if noise in NOISES else None


def complete(registry: Registry, name: str, values: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The options of a registered name with their defaults, as JSON values.

    Raises:
        InputError: the name is not registered, or an option is wrong; the message starts with `where`.
    """
    try:
        model = registry[name].options
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    return parse_options(model, values, where).model_dump(mode="json")

"""How many images a run has, and how many its methods denoise."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from fplbench.config.fits import Fit, fit_name
from fplbench.denoising.columns import FAIR_GROUP, grouped
from fplbench.denoising.tuning import candidates

if TYPE_CHECKING:
    from fplbench.config import Config
    from fplbench.denoising.columns import Column
    from fplbench.explaining.options import ExplanationOptions
    from fplbench.planning.asking import Job

Splits = tuple[int, int, int]
SPLITS = ("train", "validation", "test")
DENOISE, SIGNALS, INSERTED = "denoise_", "denoise_signals_", "_inserted"
"""What the names of rules begin and end with."""


def splits(config: "Config") -> Splits:
    """Training, validation and test images of a data set."""
    return config.sampling.train, config.sampling.validation, config.sampling.test


def inserted_splits(config: "Config") -> Splits:
    """The same of its copies with inserted lesions."""
    return config.inserted.train, config.inserted.validation, config.inserted.test


def inserted_cells(config: "Config") -> list[tuple[str, str]]:
    """The data sets and noises that are also scored on inserted lesions."""
    return [cell for cell in config.cells(config.inserted.noises) if cell[0] in (config.inserted.datasets or ())]


def tuning_images(config: "Config") -> int:
    """Training images on which options are chosen and grey maps fitted."""
    return min(config.tuning.images, config.sampling.train)


def trials(column: "Column") -> list[Mapping[str, Any]]:
    """Options that are tried on training images: those of the grid, for a grey map alone only the column's own, else none."""
    if column.tuned and column.method is not None:
        return list(candidates(column.method, column.options))
    return [{}] if column.fitted else []


def denoised(config: "Config", column: "Column", inserted: bool) -> int:
    """Images that a column denoises in one cell, those on which it is tuned among them, for each network.

    Args:
        config: the run.
        column: the column.
        inserted: whether the cell is scored on inserted lesions too.
    """
    scored = config.sampling.test + config.sampling.validation + inserted * config.inserted.test
    return scored + len(trials(column)) * tuning_images(config)


def repeats(config: "Config", column: "Column") -> int:
    """How many networks a column has in a cell; 1 for a method that is not trained."""
    return config.repeats if config.training_of(column) else 1


def columns_of(config: "Config", rule: str) -> "list[Column]":
    """The columns that a rule denoise_... runs; fair_ is of the fair comparison, signals_ of detectability."""
    if not rule.startswith(DENOISE):
        return []
    name = rule.removeprefix(SIGNALS).removeprefix(DENOISE).removesuffix(INSERTED)
    groups = grouped(config.columns) | {f"{FAIR_GROUP}{group}": found for group, found in grouped(config.fair_columns).items()}
    return groups.get(name, [])


def denoised_in_all(config: "Config", jobs: "Iterable[Job]") -> dict[str, int]:
    """Images that each column denoises in some jobs, with all its networks, by name."""
    found: Counter[str] = Counter()
    for job in jobs:
        for column in columns_of(config, job.rule):
            each = signals(config) if job.rule.startswith(SIGNALS) else denoised(config, column, job.rule.endswith(INSERTED))
            found[column.name] += each if job.rule.startswith(SIGNALS) else repeats(config, column) * each
    return dict(found)


def signals(config: "Config") -> int:
    """Images with and without signals of a data set, at most."""
    asked = config.detectability
    return 2 * max(map(len, asked.contrasts.values()), default=0) * len(asked.sizes) * asked.pairs


def network_of(config: "Config", column: "Column") -> Fit | None:
    """The training whose network a column is; of published weights, the training with its usual options. None for filters."""
    if column.method is None or column.method.weights is None:
        return None
    training = config.training_of(column)
    return config.fits[fit_name(training.name, column.budget) if training else column.method.weights]


def joined_splits(config: "Config") -> Splits:
    """Images of a data set together with its copies with inserted lesions, where it has some."""
    some = bool(config.inserted.datasets)
    train, validation, test = (own + some * more for own, more in zip(splits(config), inserted_splits(config), strict=True))
    return train, validation, test


def explained_width(config: "Config", network: str = "restoration") -> int:
    """Channels of the first level of an explained network; the default target explains the restoration network."""
    return int(config.training_options(network)["width"])


def explained_channels(config: "Config", explanation: "ExplanationOptions | None" = None) -> float:
    """Values of a feature map for each pixel: 1 of an image, or those of the level of the encoder that is read.

    Args:
        config: the run.
        explanation: what is found; None: what the default target finds.
    """
    options = explanation or config.explanation
    if options.feature != "encoder" or options.level is None:
        return 1.0
    width = explained_width(config, options.network if explanation else "restoration")
    return width * min(2**options.level, 8) / 4**options.level  # twice the channels and a quarter of the pixels each level

"""What a run takes on disk, by kind.

Stacks, features and weights follow from the config to the byte. Tables, pages and figures are estimated from the sizes that those
of the demo have for each row, each image and each figure.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from fplbench.errors import InputError
from fplbench.files import nearest_existing
from fplbench.noise import NOISES
from fplbench.planning.images import explained_channels, inserted_cells, inserted_splits, splits
from fplbench.planning.jobs import count_jobs, explained, networks, stack_names, total
from fplbench.planning.weights import weight_bytes
from fplbench.reporting.captions import figure_captions
from fplbench.training import TRAININGS

if TYPE_CHECKING:
    from fplbench.config import Config

KINDS: Mapping[str, tuple[str, ...]] = {
    "sampled images": ("data",),
    "noisy images": ("noisy",),
    "weights": ("models",),
    "features": ("features", "feature_maps"),
    "denoised images": ("denoised",),
    "scores and tables": (
        *("scores", "lesion_scores", "feature_scores", "validation", "hashes", "cost", "tuned", "tables"),
        *("scores.csv", "cost.csv", "lesions.md", "run.json", "config.json"),
    ),
    "pages and figures": ("explorer", "paper", "figures", "report.html"),
    "logs": ("logs", "benchmarks"),
}
"""What is in the folder of the results, by kind."""
SCRATCH = "scratch of a running training"

HEADER = 128  # bytes of a .npy file before its values
ROW = 205  # bytes: a row of an index
LESION_ROW = 210  # bytes: a row of a table of lesions
# Measured in the demo, bytes.
SCORE = 205  # a row of scores of an image
COMPRESSED = 0.69  # of an image of the explorer, for each pixel, as text in a page
COMPRESSED_MAPS = 0.91  # of feature maps in a .npz file, for each byte
FIGURE, FIGURE_PDF = 330_000, 160_000
LOG = 340  # log and benchmark of a job


def disk(config: "Config") -> dict[str, float]:
    """Bytes of the results of the default target, by kind, with all denoised images.

    Raises:
        InputError: a package that a network needs cannot be used.
    """
    return {
        "sampled images": _sampled(config),
        "noisy images": _noisy(config),
        "weights": sum(network.count * weight_bytes(network.fit) for network in networks(config).values()),
        "features": _features(config),
        "denoised images": _denoised(config),
        "scores and tables": _scores(config),
        "pages and figures": _pages(config),
        "logs": LOG * total(count_jobs(config)),
    }


def scratch(config: "Config") -> float:
    """The most bytes that one running training has on disk: further draws of its noise, and the state to resume from."""
    return max((_scratch(config, name) for name in networks(config)), default=0)


def needed(config: "Config", trainings: int = 1) -> float:
    """Bytes that a run from the beginning takes: its results, and the scratch of so many trainings at once.

    With keep_denoised: false, the denoised images of one data set are counted: they go when it is scored and shown. If Snakemake
    runs the jobs of several data sets side by side, there are more of them for a while.
    """
    kinds = disk(config)
    temporary = 0.0 if config.keep_denoised else kinds["denoised images"] * (1 - 1 / len(config.datasets))
    running = min(trainings, sum(network.count for network in networks(config).values()))
    return sum(kinds.values()) - temporary + running * scratch(config)


def existing(results: Path) -> float:
    """Bytes of the results that are there."""
    return sum(file.stat().st_size for file in results.rglob("*") if file.is_file()) if results.exists() else 0


def check_space(config: "Config", trainings: int = 1) -> None:
    """Check that the disk of the results has room for what the default target has yet to write.

    Args:
        config: the config of the run.
        trainings: how many run at once, at most.

    Raises:
        InputError: it has not.
    """
    results = Path(config.results)
    free = shutil.disk_usage(nearest_existing(results)).free
    missing = needed(config, trainings) - existing(results)
    if missing > free:
        raise InputError(
            f"The run needs about {gigabytes(missing)} more in {results}, but its disk has {gigabytes(free)} free: make room, or "
            f"set results to a folder on another disk{_smaller(config)}. `fplbench plan` says what takes how much."
        )


def gigabytes(size: float) -> str:
    """A size for people."""
    return f"{size / 1e9:.3g} GB" if size >= 1e9 else f"{size / 1e6:.3g} MB"


def _smaller(config: "Config") -> str:
    """What the sentence says of an option that saves room."""
    return (
        f", or set keep_denoised to false, which saves {gigabytes(_denoised(config))} at the end" if config.keep_denoised else ""
    )


def _stack(images: int, size: int, number: int = 1) -> int:
    """Bytes of a stack, or of another array of as many values of so many bytes."""
    return HEADER + images * size**2 * number


def _sampled(config: "Config") -> float:
    """Images, their lesions and indices; Hounsfield units and noisy images of pairs where they are kept; inserted lesions."""
    size, found = config.sampling.size, 0.0
    for name in config.datasets:
        bytes_each = 2 + 2 * any(NOISES[noise].needs == "hu" for noise in config.noises_of(name)) + (name not in config.unpaired)
        found += sum(_stack(images, size, bytes_each) + images * ROW for images in splits(config))
    for _ in dict(inserted_cells(config)):
        found += sum(_stack(images, size, 2) + images * (ROW + LESION_ROW) for images in inserted_splits(config))
    return found


def _noisy(config: "Config") -> float:
    size = config.sampling.size
    plain = sum(_stack(images, size) + images * ROW for images in splits(config)) * len(config.cells())
    more = sum(_stack(images, size) + images * ROW for images in inserted_splits(config)) * len(inserted_cells(config))
    return plain + more


def _denoised(config: "Config") -> float:
    size, sampling = config.sampling.size, config.sampling
    of_cell = sum(_stack(images, size) + images * ROW for images in (sampling.test, sampling.validation))
    of_inserted = _stack(config.inserted.test, size) + config.inserted.test * ROW
    return len(stack_names(config)) * (len(config.cells()) * of_cell + len(inserted_cells(config)) * of_inserted)


def _features(config: "Config") -> float:
    """Maps of the training images, float16, and those of the test images that the pages show."""
    size = config.sampling.size
    maps = len(explained(config)) * _stack(config.sampling.train, size, 2) * explained_channels(config)
    shown = min(config.explorer.images, config.sampling.test) * (len(stack_names(config)) + 1) * size**2 * 2
    return maps + len(config.cells(config.feature_error)) * shown * COMPRESSED_MAPS


def _scores(config: "Config") -> float:
    """Rows of scores: of a cell, of its data set and of all, twice those of lesions; and what is chosen and measured."""
    sampling, cells, inserted = config.sampling, len(config.cells()), len(inserted_cells(config))
    rows = len(stack_names(config)) * (cells * sampling.test + inserted * config.inserted.test)
    of_validation = len(stack_names(config)) * cells * sampling.validation
    fitted = sum(column.fitted for column in config.columns.values())
    return SCORE * (3.4 * rows + of_validation) + cells * (16_000 + 2300 * fitted) + 220_000 * len(config.datasets)


def _pages(config: "Config") -> float:
    """The explorer has every noise and every method of its images; the report has all figures."""
    images = min(config.explorer.images, config.sampling.test)
    shown = len(config.cells()) + (len(config.cells(config.feature_error)) if config.feature_error else 0)
    explorer = images * shown * (len(config.columns) + 1) * config.sampling.size**2 * COMPRESSED
    figures = FIGURE * len(figure_captions(config))
    return explorer + figures * (1 + 4 / 3) + FIGURE_PDF * len(config.datasets) + 220_000 * len(config.published)


def _scratch(config: "Config", name: str) -> float:
    """Draws of the noise beyond the first; weights with the optimiser's two moments, and the best ones where they are kept."""
    fit = networks(config)[name].fit
    draws = fit.options.get("draws", 1) if "noisy" in TRAININGS[fit.training.name].inputs else 1
    state = weight_bytes(fit) * (3 + (fit.options.get("keep") == "best"))
    return (draws - 1) * _stack(config.sampling.train, config.sampling.size) + state

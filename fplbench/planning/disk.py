"""What a run takes on disk, by kind, and whether there is room for it."""

import shutil
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fplbench.errors import InputError
from fplbench.files import nearest_existing
from fplbench.planning.files import LOG, files_of, stack_bytes
from fplbench.planning.jobs import TRAIN, networks
from fplbench.planning.weights import weight_bytes
from fplbench.training import TRAININGS

if TYPE_CHECKING:
    from fplbench.config import Config
    from fplbench.config.fits import Fit
    from fplbench.planning.asking import Job

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
    "pages and figures": ("explorer", "shown", "paper", "figures", "report.html"),
    "logs": ("logs", "benchmarks"),
}
"""What is in the folder of the results, by kind."""
SCRATCH = "scratch of a running training"
DENOISED = "denoised images"


def disk(config: "Config", jobs: "Sequence[Job]") -> dict[str, float]:
    """Bytes of what some jobs leave on disk, by kind, with all denoised images.

    Raises:
        InputError: a package that a network needs cannot be used.
    """
    found: dict[str, float] = dict.fromkeys(KINDS, 0.0)
    for job in jobs:
        for kind, size in files_of(config, job).items():
            found[kind] += size
        found["logs"] += LOG * bool(job.log)
    found["weights"] = sum(each.count * weight_bytes(each.fit) for each in networks(config, jobs).values())
    return dict(found)


def scratch(config: "Config", jobs: "Sequence[Job]") -> float:
    """The most bytes that one running training has on disk: a further draw of its noise, then the state to resume from."""
    return max((_scratch(config, each.fit) for each in networks(config, jobs).values()), default=0)


def needed(config: "Config", jobs: "Sequence[Job]", at_once: int = 1) -> float:
    """Bytes that a run takes: its results, and the scratch of running trainings.

    Args:
        config: the config of the run.
        jobs: those that are to run.
        at_once: how many trainings, or cells where nothing is trained, are worked on at the same time.
    """
    sizes = disk(config, jobs)
    running = min(at_once, sum(job.rule.startswith(TRAIN) for job in jobs))
    total = sum(sizes.values()) + running * scratch(config, jobs)
    return total if config.keep_denoised else total - sizes[DENOISED] + _held(config, jobs, at_once)


def without_denoised(config: "Config") -> "Config":
    """The same config with keep_denoised: false."""
    return config.model_copy(update={"keep_denoised": False})


def _held(config: "Config", jobs: "Sequence[Job]", at_once: int) -> float:
    """Denoised images that are on the disk together, though they go once they are used.

    While a cell is denoised, the test images of the one before wait for a GPU to compare their features. Those of the fair
    comparison wait until the last of its networks is trained.
    """
    cells: defaultdict[tuple[str, str], float] = defaultdict(float)
    for job in jobs:
        if size := files_of(config, job).get(DENOISED):
            cells[job.wildcards["dataset"], job.wildcards["noise"]] += size
    compared = {(job.wildcards["dataset"], job.wildcards["noise"]) for job in jobs if job.rule == "score_fair"}
    others = sorted((size for cell, size in cells.items() if cell not in compared), reverse=True)
    sampling = config.sampling
    waiting = sampling.test / (sampling.test + sampling.validation)
    return sum(cells[cell] for cell in compared) + sum(others[:at_once]) + waiting * sum(others[at_once : 2 * at_once])


def check_space(config: "Config", jobs: "Sequence[Job]", present: float = 0, at_once: int = 1) -> None:
    """Check that the disk of the results has room for what some jobs have yet to write.

    Args:
        config: the config of the run.
        jobs: those that are to run.
        present: bytes of the files that they write again.
        at_once: as for `needed`.

    Raises:
        InputError: it has not.
    """
    results = Path(config.results)
    free = shutil.disk_usage(nearest_existing(results)).free
    size = needed(config, jobs, at_once) - present
    if size > free:
        smaller = needed(without_denoised(config), jobs, at_once) - present
        option = f", or set keep_denoised to false, with which it needs {gigabytes(smaller)}" if smaller < free else ""
        raise InputError(
            f"The run needs about {gigabytes(size)} more in {results}, but its disk has {gigabytes(free)} free: make room, or "
            f"set results to a folder on another disk{option}. `fplbench plan` says what takes how much."
        )


def gigabytes(size: float) -> str:
    """A size for people."""
    return f"{size / 1e9:.3g} GB" if size >= 1e9 else f"{size / 1e6:.3g} MB"


def _scratch(config: "Config", fit: "Fit") -> float:
    """A draw of the noise beyond the first; weights with the optimiser's two moments, and the best ones where they are kept.

    A resumed training has its state when it draws.
    """
    draws = fit.options.get("draws", 1) if "noisy" in TRAININGS[fit.training.name].inputs else 1
    state = weight_bytes(fit) * (3 + (fit.options.get("keep") == "best"))
    return min(draws - 1, 1) * stack_bytes(config.sampling.train, config.sampling.size) + state

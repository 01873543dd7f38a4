"""What a run takes on disk, by kind, and whether there is room for it."""

import shutil
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
    "pages and figures": ("explorer", "paper", "figures", "report.html"),
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
    """The most bytes that one running training has on disk: further draws of its noise, and the state to resume from."""
    return max((_scratch(config, each.fit) for each in networks(config, jobs).values()), default=0)


def needed(config: "Config", jobs: "Sequence[Job]", trainings: int = 1) -> float:
    """Bytes that some jobs take at least: their results, and the scratch of so many trainings at once.

    With keep_denoised: false, the denoised test images of one data set are counted: they go when its pages are made, those of the
    validation images when they are scored.
    """
    if config.keep_denoised:
        return at_most(config, jobs, trainings)
    test, validation = config.sampling.test, config.sampling.validation
    datasets = len({job.wildcards["dataset"] for job in jobs if "dataset" in job.wildcards})
    held = test / (test + validation) / max(1, datasets)
    return at_most(config, jobs, trainings) - disk(config, jobs)[DENOISED] * (1 - held)


def at_most(config: "Config", jobs: "Sequence[Job]", trainings: int = 1) -> float:
    """The same where no denoised images have gone before the last ones are there.

    With keep_denoised: false, too, it can come near to that: Snakemake starts jobs as soon as it can, those of filters while
    networks are trained for days.
    """
    running = min(trainings, sum(job.rule.startswith(TRAIN) for job in jobs))
    return sum(disk(config, jobs).values()) + running * scratch(config, jobs)


def check_space(config: "Config", jobs: "Sequence[Job]", present: float = 0, trainings: int = 1) -> str:
    """Check that the disk of the results has room for what some jobs have yet to write.

    Args:
        config: the config of the run.
        jobs: those that are to run.
        present: bytes of the files that they write again.
        trainings: how many run at once, at most.

    Returns:
        A warning where it may run full before denoised images are deleted; else empty.

    Raises:
        InputError: it has not.
    """
    results = Path(config.results)
    free = shutil.disk_usage(nearest_existing(results)).free
    least, most = (size(config, jobs, trainings) - present for size in (needed, at_most))
    if least > free:
        saved = disk(config, jobs)[DENOISED]
        option = f", or set keep_denoised to false, which saves {gigabytes(saved)} at the end" if config.keep_denoised else ""
        raise InputError(
            f"The run needs about {gigabytes(least)} more in {results}, but its disk has {gigabytes(free)} free: make room, or "
            f"set results to a folder on another disk{option}. `fplbench plan` says what takes how much."
        )
    if most > free:
        return (
            f"The run needs about {gigabytes(least)} in {results}, and up to {gigabytes(most)} if many denoised images are made "
            f"before others are deleted; its disk has {gigabytes(free)} free. If it runs full, make room and run it again."
        )
    return ""


def gigabytes(size: float) -> str:
    """A size for people."""
    return f"{size / 1e9:.3g} GB" if size >= 1e9 else f"{size / 1e6:.3g} MB"


def _scratch(config: "Config", fit: "Fit") -> float:
    """Draws of the noise beyond the first; weights with the optimiser's two moments, and the best ones where they are kept."""
    draws = fit.options.get("draws", 1) if "noisy" in TRAININGS[fit.training.name].inputs else 1
    state = weight_bytes(fit) * (3 + (fit.options.get("keep") == "best"))
    return (draws - 1) * stack_bytes(config.sampling.train, config.sampling.size) + state

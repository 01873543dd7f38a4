"""Seconds of a run on this machine: a few real steps of each training, and a few images of each method and noise, scaled."""

import math
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fplbench.config.fits import Fit
from fplbench.denoising.columns import grouped
from fplbench.noise import NOISES
from fplbench.planning.images import (
    denoised_in_all,
    inserted_cells,
    inserted_splits,
    network_of,
    repeats,
    splits,
    trials,
    tuning_images,
)
from fplbench.planning.jobs import count_jobs, networks, stack_names
from fplbench.planning.made_up import SEED, folder_of_images, set_up, untrained
from fplbench.planning.operations import Counts, TrainingCost

if TYPE_CHECKING:
    from fplbench.config import Config
    from fplbench.denoising.columns import Column
    from fplbench.training.registry import Input

ROUNDS = 3
IMAGES = 4
"""Images that methods, noises and scores are timed on."""
CPU_BATCH = 2
"""Images of a step that is timed on a CPU, where a step takes as long for each image whatever the batch."""
# What a job imports before it begins.
NOTHING = "fplbench.cli"
FILTERS = "fplbench.cli, fplbench.denoising.groups, cv2, pywt, scipy.signal, skimage.restoration, fplbench.scoring.metrics"
NETWORKS = "fplbench.cli, fplbench.denoising.groups, fplbench.training.loop.run"
START = 0.28
# Seconds of the jobs that cannot be timed without results or data: those that the jobs of the demo took, on a machine where a
# command starts in START seconds.
OTHERS = {
    **{"sample_images": 1.7, "sample_hounsfield": 1.7, "sample_pairs": 1.7, "insert_lesions": 1.2},
    **{"collate_dataset": 0.3, "collate": 0.3, "manifest": 1.7, "report": 2.2, "lesion_summary": 0.7, "cost": 3.5, "table": 1.3},
    **{"figure": 2.6, "feature_figure": 2.5, "noise_figure": 1.1, "grey_map_figure": 1.5, "training_figure": 1.6},
    **{"lesion_figure": 1.2, "inserted_figure": 1.4, "recovery_figure": 1.1, "heat_map": 2.1, "rank_figure": 2.1},
    **{"paper_comparison": 1.8, "explorer": 1.2},
}


def measure(config: "Config", counts: Counts, device: str = "auto") -> dict[str, float]:
    """Seconds that the jobs of each rule take together on this machine, on one core or its GPU, one job after the other.

    Images are random. Reading raw data is not measured: sampling counts as in the demo.

    Args:
        config: the run.
        counts: its operations, by which the parts of a training are scaled that are not timed.
        device: auto, cpu or cuda.
    """
    on_gpu = _is_gpu(device)
    batch = max((network.fit.options["batch"] for network in networks(config).values()), default=1)
    with folder_of_images(config, max(IMAGES, batch if on_gpu else CPU_BATCH), config.sampling.size) as files:
        return dict(_seconds(config, counts, files, device, on_gpu))


def _seconds(
    config: "Config", counts: Counts, files: "Mapping[Input, Path]", device: str, on_gpu: bool
) -> Iterator[tuple[str, float]]:
    jobs, sampling = count_jobs(config), config.sampling
    start, start_filters, start_torch = map(_start, (NOTHING, FILTERS, NETWORKS))
    noises = {noise: _of_noise(config, noise, files) for noise in config.noises}
    mean_noise = statistics.mean(noises.values())
    images, inserted = sum(splits(config)), sum(inserted_splits(config))
    yield "synthesize_noise", sum(start + images * noises[noise] for _, noise in config.cells())
    yield "add_noise_to_inserted", sum(start + inserted * noises[noise] for _, noise in inserted_cells(config))
    for name, network in networks(config).items():
        seconds = _of_training(network.fit, counts.trainings[name], files, device, on_gpu)
        draws = network.fit.options.get("draws", 1) - 1 if "noisy" in network.fit.training.inputs else 0
        yield f"train_{name}", network.count * (start_torch + seconds + draws * sampling.train * mean_noise)
    each_map = _of_map(config, files, device) if counts.features else 0.0
    for rule, number in (
        ("explain_clean_images", sampling.train),
        ("score_features", sampling.test * (len(stack_names(config)) + 1)),
    ):
        if rule in jobs:
            yield rule, jobs[rule] * (start_torch + number * each_map)
    scored, chosen = _of_score(config, files), _of_score(config, files, metrics=())
    for group, columns in grouped(config.columns).items():
        begin = start_torch if any(column.method and column.method.gpu for column in columns) else start_filters
        seconds = sum(_of_column(config, column, files, device, chosen) for column in columns)
        yield f"denoise_{group}", begin * len(config.cells()) + seconds
    rows = len(config.cells()) * (sampling.test + sampling.validation) + len(inserted_cells(config)) * config.inserted.test
    yield "score", jobs["score"] * start + rows * len(stack_names(config)) * scored
    for rule in OTHERS.keys() & jobs.keys():
        yield rule, jobs[rule] * OTHERS[rule] * start / START


def _of_training(fit: Fit, cost: TrainingCost, files: "Mapping[Input, Path]", device: str, on_gpu: bool) -> float:
    """Seconds of one training: those of its steps, and what else it computes in proportion to the operations."""
    options = fit.options
    batch = options["batch"] if on_gpu else min(options["batch"], CPU_BATCH)
    changes: dict[str, Any] = {"batch": batch, "micro_batch": options["micro_batch"] if on_gpu else None, "keep": "last"}
    changes |= {"draws": 1} if "draws" in options else {}
    watch = set_up(fit, files, device, **changes)
    first = math.ceil(options.get("feature_start", 0) / watch.interval) * watch.interval
    seconds = 0.0
    for features, steps in enumerate(cost.steps):
        if steps:
            step = first if features or watch.interval == 1 else first + 1
            seconds += steps * _median(partial(watch.seconds, range(step, step + 1)))
    of_steps = seconds * options["batch"] / batch
    counted = options["batch"] * (cost.steps[0] * cost.plain.total + cost.steps[1] * cost.feature.total)
    return of_steps * cost.all.total / counted


def _of_column(config: "Config", column: "Column", files: "Mapping[Input, Path]", device: str, chosen: float) -> float:
    """Seconds of a column in all cells: denoising, and choosing its options and its grey map by PSNR and SSIM."""
    from fplbench.denoising.running import denoise
    from fplbench.stacks import open_stack

    assert column.method is not None
    place: dict[str, Any] = {}
    if fit := network_of(config, column):
        place = {"weights": untrained(fit, files, batch=1), "device": device}
    noisy, method = open_stack(files["noisy"])[:IMAGES], column.method.name
    options = {**column.options, **place}
    usual = _median(partial(denoise, method, noisy, **options)) / len(noisy)
    tried = [_once(partial(denoise, method, noisy, **{**options, **trial})) / len(noisy) for trial in trials(column)]
    # With a grey map a trial is scored three times: with it, without, and once more for the table.
    scores = len(tried) * chosen * (3 if column.grey_map else 1)
    of_trials = repeats(config, column) * len(config.cells()) * tuning_images(config)
    return (denoised_in_all(config, column) - of_trials * len(tried)) * usual + of_trials * (sum(tried) + scores)


def _of_noise(config: "Config", noise: str, files: "Mapping[Input, Path]") -> float:
    """Seconds of a noise for an image; of one that needs more than images, those of Gaussian noise."""
    from fplbench.noise import synthesize_stack

    dataset = next((name for name in config.datasets if noise in config.noises_of(name)), None)
    plain = NOISES[noise].needs is None and dataset is not None
    name, options = (noise, config.noise_options(str(dataset), noise)) if plain else ("gaussian", {})
    count, out = _count(files), files["clean"].with_name("timed.npy")
    return _median(lambda: synthesize_stack(name, files["clean"], out, options, seed=SEED)) / count


def _of_map(config: "Config", files: "Mapping[Input, Path]", device: str) -> float:
    """Seconds of the features of an image."""
    from fplbench.explaining.maps import feature_maps
    from fplbench.stacks import open_stack

    images, explanation = open_stack(files["clean"])[:IMAGES], config.explanation.model_dump()
    return _median(lambda: feature_maps(files["explained"], images, device, **explanation)) / len(images)


def _of_score(config: "Config", files: "Mapping[Input, Path]", metrics: tuple[str, ...] | None = None) -> float:
    """Seconds of the scores of an image, by the metrics of the config or by others."""
    from fplbench.scoring.cells import score_cell

    chosen = config.metrics if metrics is None else metrics
    out = files["clean"].with_name("scores.csv")
    return _median(lambda: score_cell(files["clean"], [files["noisy"]], out, metrics=chosen)) / _count(files)


def _count(files: "Mapping[Input, Path]") -> int:
    from fplbench.stacks import open_stack

    return len(open_stack(files["clean"]))


def _is_gpu(device: str) -> bool:
    from fplbench.device import choose_device

    return choose_device(device).type == "cuda"


def _start(modules: str) -> float:
    """Seconds that a process takes to start and to import some modules."""
    command = [sys.executable, "-c", f"import {modules}"]
    return _median(lambda: subprocess.run(command, check=True))


def _median(call: Callable[[], Any]) -> float:
    """Seconds of a call, the median of a few after one that warms up; what returns seconds is taken at its word."""
    return statistics.median([_once(call) for _ in range(1 + ROUNDS)][1:])


def _once(call: Callable[[], Any]) -> float:
    began = time.perf_counter()
    found = call()
    return found if isinstance(found, float) else time.perf_counter() - began

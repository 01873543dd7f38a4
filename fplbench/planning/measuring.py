"""Seconds of a run on this machine: a few real steps of each training, and a few images of each method and noise, scaled."""

import math
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fplbench.config.fits import Fit
from fplbench.noise import NOISES
from fplbench.planning.counts import Counts, TrainingCost
from fplbench.planning.images import (
    INSERTED,
    SIGNALS,
    columns_of,
    denoised,
    inserted_cells,
    inserted_splits,
    network_of,
    repeats,
    splits,
    trials,
    tuning_images,
)
from fplbench.planning.jobs import count_by_rule, networks, stack_names
from fplbench.planning.made_up import SEED, folder_of_images, set_up, untrained

if TYPE_CHECKING:
    from fplbench.config import Config
    from fplbench.denoising.columns import Column
    from fplbench.planning.asking import Job
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
    # As the like rules of the default target.
    **{"collate_fair": 0.3, "collate_all_fair": 0.3, "fair_cost": 3.5, "fair_table": 1.3, "fair_summary": 0.7},
}


def measure(config: "Config", counts: Counts, jobs: "Sequence[Job]", device: str = "auto") -> dict[str, float]:
    """Seconds that the jobs of each rule take together on this machine, on one core or its GPU, one job after the other.

    Images are random. Reading raw data is not measured: sampling counts as in the demo. Rules of the ablation, of the
    generalisation and of the detectability are left out, but for their trainings.

    Args:
        config: the run.
        counts: its operations, by which the parts of a training are scaled that are not timed.
        jobs: all its jobs.
        device: auto, cpu or cuda.
    """
    on_gpu = _is_gpu(device)
    batch = max((each.fit.options.get("batch", 1) for each in networks(config, jobs).values()), default=1)
    with folder_of_images(config, max(IMAGES, batch if on_gpu else CPU_BATCH), config.sampling.size) as files:
        return dict(_seconds(config, counts, jobs, files, device, on_gpu))


def _seconds(
    config: "Config", counts: Counts, jobs: "Sequence[Job]", files: "Mapping[Input, Path]", device: str, on_gpu: bool
) -> Iterator[tuple[str, float]]:
    by_rule, sampling = count_by_rule(jobs), config.sampling
    start, start_filters, start_torch = map(_start, (NOTHING, FILTERS, NETWORKS))
    noises = {noise: _of_noise(config, noise, files) for noise in config.noises}
    mean_noise = statistics.mean(noises.values())
    for rule, images in (("synthesize_noise", sum(splits(config))), ("add_noise_to_inserted", sum(inserted_splits(config)))):
        if rule in by_rule:
            yield rule, sum(start + images * noises[job.wildcards["noise"]] for job in jobs if job.rule == rule)
    for name, network in networks(config, jobs).items():
        if network.explanation is None and name in counts.trainings:
            seconds = _of_training(network.fit, counts.trainings[name], files, device, on_gpu)
            draws = network.fit.options.get("draws", 1) - 1 if "noisy" in network.fit.training.inputs else 0
            yield f"train_{name}", network.count * (start_torch + seconds + draws * sampling.train * mean_noise)
    each_map = _of_map(config, files, device) if counts.features else 0.0
    for rule, number in (
        ("explain_clean_images", sampling.train),
        ("score_features", sampling.test * (len(stack_names(config)) + 1)),
        ("score_fair_features", sampling.test * (len(stack_names(config, fair=True)) + 1)),
    ):
        if rule in by_rule:
            yield rule, by_rule[rule] * (start_torch + number * each_map)
    scored, chosen = _of_score(config, files), _of_score(config, files, metrics=())
    for rule in by_rule:
        columns = [] if rule.startswith(SIGNALS) else columns_of(config, rule)
        if columns:
            begin = start_torch if any(column.method and column.method.gpu for column in columns) else start_filters
            seconds = sum(_of_column(config, column, rule.endswith(INSERTED), files, device, chosen) for column in columns)
            yield rule, by_rule[rule] * (begin + seconds)
    for rule in by_rule.keys() & {"score", "score_fair"}:
        stacks = len(stack_names(config, fair=rule == "score_fair"))
        cells = [(job.wildcards["dataset"], job.wildcards["noise"]) for job in jobs if job.rule == rule]
        inserted = len({*cells} & {*inserted_cells(config)}) * config.inserted.test
        rows = len(cells) * (sampling.test + sampling.validation) + inserted
        yield rule, by_rule[rule] * start + rows * stacks * scored
    for rule in OTHERS.keys() & by_rule.keys():
        yield rule, by_rule[rule] * OTHERS[rule] * start / START


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


def _of_column(
    config: "Config", column: "Column", inserted: bool, files: "Mapping[Input, Path]", device: str, chosen: float
) -> float:
    """Seconds of a column in a cell: denoising, and choosing its options and its grey map by PSNR and SSIM."""
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
    usual_images = denoised(config, column, inserted) - len(tried) * tuning_images(config)
    return repeats(config, column) * (usual_images * usual + tuning_images(config) * (sum(tried) + scores))


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

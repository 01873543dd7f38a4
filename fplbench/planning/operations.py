"""Floating-point operations of every training and every method, counted without data on one small image.

All networks here are convolutions, and attention in windows or over channels: their operations are proportional to the pixels, so
those of a small image give those of a large one. Convolutions and matrix products are counted; a multiplication and the
addition that follows are two.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fplbench.config.ablation import explanation_name
from fplbench.config.fits import Fit
from fplbench.explaining.options import ExplanationOptions
from fplbench.planning.counts import Counts, Operations, TrainingCost
from fplbench.planning.images import denoised_in_all, joined_splits, network_of
from fplbench.planning.jobs import networks, stack_names
from fplbench.planning.made_up import folder_of_images, set_up

if TYPE_CHECKING:
    from pathlib import Path

    from fplbench.config import Config
    from fplbench.planning.asking import Job
    from fplbench.training.loop.stopwatch import Stopwatch
    from fplbench.training.registry import Input

SIDE = 64
"""Side of the image that is counted, pixels: a multiple of what every network needs."""


@dataclass(frozen=True)
class _Counted:
    """One training on one small image: operations of its steps, as they are and with measured gradients, and of its network."""

    interval: int
    parameters: int
    forward: float
    plain: float
    feature: float
    measured: float


def count_operations(config: "Config", jobs: "Sequence[Job]") -> Counts:
    """Count the operations of a run. It takes a few seconds for networks of width 64.

    Args:
        config: the run.
        jobs: all its jobs.

    Raises:
        InputError: a package that a network needs cannot be used.
    """
    found = {name: each for name, each in networks(config, jobs).items() if "steps" in each.fit.options}
    trainings: dict[str, TrainingCost] = {}
    features: dict[str, Operations] = {}
    for explanation, rules in _features(config, jobs).items():
        alike = {name: each.fit for name, each in found.items() if (each.explanation or config.explanation) == explanation}
        with folder_of_images(config, 1, SIDE, explanation) as files:
            trainings |= {name: training_cost(fit, files, config.sampling) for name, fit in alike.items()}
            each_map = _of_one_map(config, files, explanation) if any(rules.values()) else 0.0
            features |= {rule: Operations(single=each_map * images) for rule, images in rules.items() if images}
    with folder_of_images(config, 1, SIDE) as files:
        return Counts(trainings, features, _methods(config, jobs, files, trainings))


def training_cost(fit: Fit, files: "Mapping[Input, Path]", sampling: Any) -> TrainingCost:
    """What one network takes.

    Args:
        fit: the training.
        files: made-up images of SIDE pixels.
        sampling: number and size of the images.
    """
    counted, options = _count(fit, files), fit.options
    whole = (sampling.size / SIDE) ** 2
    part = (min(options.get("patch") or sampling.size, sampling.size) / SIDE) ** 2
    plain = Operations(half=counted.plain * part)
    feature = Operations(half=counted.plain * whole, single=(counted.feature - counted.plain) * whole)
    steps, start = options["steps"], options.get("feature_start", 0)
    explains = counted.feature > counted.plain
    with_features = _multiples(start, steps, counted.interval) if explains else 0
    group = math.ceil(options["log_every"] / counted.interval) * counted.interval
    groups = math.ceil(steps / group)
    measured = Operations(half=counted.measured * (whole if explains else part))
    scored = min(sampling.validation, options["validation_images"]) * _validations(options, group)
    total = (plain * (steps - with_features) + feature * with_features) * options["batch"]
    total += measured * groups * (options["micro_batch"] or options["batch"])
    total += Operations(single=counted.forward * whole * scored)
    of_steps = (steps - with_features, with_features)
    return TrainingCost(counted.parameters, counted.forward * whole, plain, feature if explains else plain, of_steps, total)


def _features(config: "Config", jobs: "Iterable[Job]") -> "dict[ExplanationOptions, Counter[str]]":
    """Images in which the features of each explanation are found, by rule; the networks of the config's own one come first."""
    found: dict[ExplanationOptions, Counter[str]] = {config.explanation: Counter()}
    variants = {name: network.explanation for name, network in networks(config, jobs).items() if network.explanation}
    by_name = {explanation_name(explanation): explanation for explanation in variants.values()}
    for explanation in variants.values():
        found.setdefault(explanation, Counter())
    for job in jobs:
        if job.rule == "explain_clean_images":
            found[config.explanation][job.rule] += config.sampling.train
        elif job.rule in ("score_features", "score_fair_features"):
            stacks = 1 + len(stack_names(config, fair=job.rule == "score_fair_features"))
            found[config.explanation][job.rule] += config.sampling.test * stacks
        elif job.rule == "explain_for_ablation":
            explanation = by_name[job.wildcards["explanation"]]
            found[explanation][f"{job.rule}, {job.wildcards['explanation']}"] += joined_splits(config)[0]
    return found


def _of_one_map(config: "Config", files: "Mapping[Input, Path]", explanation: "ExplanationOptions") -> float:
    """Operations of the features of one image; of an annotation none."""
    from fplbench.explaining.maps import feature_maps
    from fplbench.planning.counter import operations_of
    from fplbench.stacks import open_stack

    if not explanation.of_images:
        return 0.0
    images = open_stack(files["clean"])
    counted = operations_of(lambda: feature_maps(files["explained"], images, "cpu", **explanation.model_dump()))
    return counted * (config.sampling.size / SIDE) ** 2


def _methods(
    config: "Config", jobs: "Iterable[Job]", files: "Mapping[Input, Path]", trainings: Mapping[str, TrainingCost]
) -> dict[str, float]:
    """Operations of each column that is a network, for one image; published weights are of their training's default network."""
    from fplbench.networks.counting import count

    found = {}
    columns = config.columns | config.fair_columns
    for name in denoised_in_all(config, jobs):
        fit = network_of(config, columns[name])
        if fit is None:
            continue
        if fit.name in trainings:
            forward = trainings[fit.name].forward
        else:
            network = set_up(fit, files, "cpu", **_for_counting(fit)).network
            forward = count(network, SIDE, SIDE).operations * (config.sampling.size / SIDE) ** 2
        found[name] = forward * (8 if columns[name].options.get("x8") else 1)
    return found


def _for_counting(fit: Fit) -> dict[str, Any]:
    """Options of a training whose steps are counted on one image, which is neither flipped nor cropped."""
    changes: dict[str, Any] = {"batch": 1, "micro_batch": None, "keep": "last"}
    changes |= {name: value for name, value in {"draws": 1, "flips": False}.items() if name in fit.options}
    return changes | ({"patch": SIDE} if fit.options.get("patch") else {})


def _count(fit: Fit, files: "Mapping[Input, Path]") -> _Counted:
    """Count the steps of a training on one image."""
    from fplbench.networks.counting import count

    changes = _for_counting(fit)
    watch = set_up(fit, files, "cpu", **changes)
    network = count(watch.network, SIDE, SIDE)
    feature_step = math.ceil(fit.options.get("feature_start", 0) / watch.interval) * watch.interval
    feature = _step(watch, feature_step)
    plain = _step(watch, feature_step + 1) if watch.interval > 1 else _without_features(fit, files, changes, feature)
    measured = _step(watch, feature_step, measure=True) - feature
    return _Counted(watch.interval, network.parameters, network.operations, plain, feature, measured)


def _without_features(fit: Fit, files: "Mapping[Input, Path]", changes: Mapping[str, Any], feature: float) -> float:
    """Operations of a step without features, where every step of the training has them."""
    if "features" not in fit.training.needs(fit.options) or "feature_interval" not in fit.options:
        return feature
    return _step(set_up(fit, files, "cpu", **{**changes, "feature_interval": 2}), 1)


def _step(watch: "Stopwatch", step: int, measure: bool = False) -> float:
    """Operations of a step."""
    import torch

    from fplbench.planning.counter import operations_of
    from fplbench.training.loop.losses import gauges_of
    from fplbench.training.loop.meter import Meter

    watch.network.train()
    meter = Meter(watch.term_names, watch.job.device, gauges_of(watch.losses))
    batch = torch.from_numpy(watch.batches.of(range(step, step + 1))[0])
    return operations_of(lambda: watch._train_step(step, batch, meter, measure=measure))


def _multiples(first: int, end: int, interval: int) -> int:
    """How many steps from `first` on, before `end`, the interval divides."""
    return max(0, math.ceil(end / interval) - math.ceil(first / interval))


def _validations(options: Mapping[str, Any], group: int) -> int:
    """How often a training is scored on validation images, which it is after whole rows of its log."""
    steps = options["steps"]
    interval = options["validate_every"] or max(1, steps // 10)
    ends = [*range(group, steps, group), steps]
    return sum(end // interval > start // interval or end == steps for start, end in zip([0, *ends], ends, strict=False))

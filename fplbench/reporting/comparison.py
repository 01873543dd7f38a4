"""Compare variants of one method, each trained with several seeds, with a control variant."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fplbench.errors import InputError, nearest
from fplbench.reporting.labels import METRICS
from fplbench.reporting.lesion_scores import INSERTED
from fplbench.reporting.statistics import MINIMUM_SEEDS, SIGNIFICANCE, holm, t_interval, t_test
from fplbench.scoring.registry import Metric

_LESION_METRICS = ("lesion_psnr", "contrast_recovery", "recovery_error")
COMPARED: Mapping[str, Metric] = {
    **{name: METRICS[name] for name in ("psnr", "ssim", "body_psnr", "gradient_error", "feature_error")},
    **{f"{prefix}{name}": METRICS[f"{prefix}{name}"] for prefix in ("", INSERTED) for name in _LESION_METRICS},
    "dprime": Metric("dprime", "d'", "", 2, "higher"),
}
"""What variants are compared by, in the order of tables."""

Means = Mapping[str, Mapping[str, float]]
"""Means over the images, lesions or signals of one data set and noise, by metric and method."""
Cells = Mapping[tuple[str, str], Means]
"""Means by data set and noise."""


@dataclass(frozen=True)
class Compared:
    """Score of a variant on one noise of a data set, over seeds and images.

    Attributes:
        dataset: name of the data set.
        noise: name of the noise.
        metric: name of the metric.
        variant: name of the variant.
        mean: the score.
        gain: by how much it is better than the control, positive if it is, for metrics of either direction; None for metrics that
            have no direction.
        low: lower end of the 95 % interval of the gain over seeds; None for the control, and with too few seeds.
        high: upper end.
        p: p-value, adjusted for the comparisons of the data set and metric.
        seeds: the mean over images for each seed, in the order of seeds.
        gains: the gain of each seed.
    """

    dataset: str
    noise: str
    metric: str
    variant: str
    mean: float
    gain: float | None
    low: float | None
    high: float | None
    p: float | None
    seeds: Mapping[int, float]
    gains: tuple[float, ...]

    @property
    def better(self) -> bool:
        """Whether there is an interval of the gain, and it lies above zero."""
        return self.low is not None and self.low > 0

    @property
    def significant(self) -> bool:
        """Whether the adjusted p-value is below 0.05."""
        return self.p is not None and self.p < SIGNIFICANCE


def compare(cells: Cells, control: str) -> list[Compared]:
    """Compare variants with the control on every data set, noise and metric.

    Trainings with the same seed start from the same weights and see the same batches, and are compared as a pair: the
    interval is Student's, over the differences of the pairs, and accounts for other seeds on the same images. Below
    `MINIMUM_SEEDS` seeds there is none. The p-values are adjusted by Holm's method for the comparisons of a data set and metric,
    that is, for its variants and noises.

    Args:
        cells: means by data set and noise, of methods named {variant}-{seed}.
        control: the variant that the others are compared with.

    Raises:
        InputError: the name of a method has no seed, the control is missing, or variants have different seeds.
    """
    rows = [
        row
        for (dataset, noise), means in cells.items()
        for metric in COMPARED
        if metric in means
        for row in _compare_noise(dataset, noise, metric, means[metric], control)
    ]
    groups: dict[tuple[str, str], list[int]] = {}
    for i, row in enumerate(rows):
        if row.p is not None:
            groups.setdefault((row.dataset, row.metric), []).append(i)
    for places in groups.values():
        adjusted = holm([p for i in places if (p := rows[i].p) is not None])
        for i, p in zip(places, adjusted, strict=True):
            rows[i] = replace(rows[i], p=p)
    return rows


def seed_of(method: str) -> tuple[str, int]:
    """The variant and the seed of a method named {variant}-{seed}.

    Raises:
        InputError: the name has no seed.
    """
    variant, _, number = method.rpartition("-")
    if not variant or not number.isdecimal():
        raise InputError(f"The ablation needs methods that are named variant-seed, but {method!r} has no seed.")
    return variant, int(number)


def by_variant(means: Mapping[str, float]) -> dict[str, dict[int, float]]:
    """Means by variant and seed, the seeds in order.

    Raises:
        InputError: as for `seed_of`.
    """
    groups: dict[str, dict[int, float]] = {}
    for method, mean in means.items():
        variant, seed = seed_of(method)
        groups.setdefault(variant, {})[seed] = mean
    return {variant: dict(sorted(group.items())) for variant, group in groups.items()}


def difference(one: Mapping[Any, float], other: Mapping[Any, float], metric: str) -> np.ndarray:
    """By how much one of two variants is better than the other, float64 (S,), for each of the S seeds or cells of both."""
    sign = 1 if COMPARED[metric].direction == "higher" else -1
    return sign * np.array([one[key] - other[key] for key in one])


def _compare_noise(dataset: str, noise: str, metric: str, means: Mapping[str, float], control: str) -> Iterator[Compared]:
    groups = by_variant(means)
    _check_seeds(groups, dataset, noise, metric, control)
    for variant, seeds in groups.items():
        mean = float(np.mean(list(seeds.values())))
        gain, low, high, p, gains = None, None, None, None, np.empty(0)
        if COMPARED[metric].direction is not None:
            gains = difference(seeds, groups[control], metric)
            gain = float(gains.mean())
            if variant != control and len(seeds) >= MINIMUM_SEEDS:
                (low, high), p = t_interval(gains.tolist()), t_test(gains.tolist())
        yield Compared(dataset, noise, metric, variant, mean, gain, low, high, p, seeds, tuple(gains.tolist()))


def _check_seeds(groups: Mapping[str, Mapping[int, float]], dataset: str, noise: str, metric: str, control: str) -> None:
    where = f"{dataset}/{noise} by {metric}"
    if control not in groups:
        raise InputError(f"{control!r}, the control, was not scored on {where}: {nearest(control, groups)}")
    seeds = list(groups[control])
    for variant, group in groups.items():
        if list(group) != seeds:
            raise InputError(f"{variant!r} has the seeds {list(group)} on {where}, but {control!r} has {seeds}.")

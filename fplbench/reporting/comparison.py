"""Compare variants of one method, each trained with several seeds, with a control variant."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from fplbench.errors import InputError, nearest
from fplbench.reporting.labels import sign
from fplbench.reporting.scores import NoiseScores, Scores
from fplbench.reporting.statistics import MINIMUM_SEEDS, holm, t_interval, t_test

METRICS_SHOWN = ("psnr", "ssim", "feature_error")


@dataclass(frozen=True)
class Variant:
    """Score of a variant on one noise of a data set, over seeds and images.

    Attributes:
        dataset: name of the data set.
        noise: name of the noise.
        metric: name of the metric.
        variant: name of the variant.
        mean: the score.
        gain: by how much it is better than the control, positive if it is, for metrics of either direction.
        gain_low: lower end of the 95 % interval of the gain over seeds; None for the control, and with too few seeds.
        gain_high: upper end.
        gain_p: p-value, adjusted for the comparisons of the data set and metric.
        seeds: the mean over images for each seed.
        gains: the gain of each seed.
    """

    dataset: str
    noise: str
    metric: str
    variant: str
    mean: float
    gain: float
    gain_low: float | None
    gain_high: float | None
    gain_p: float | None
    seeds: tuple[float, ...]
    gains: tuple[float, ...]


def compare(scores: Scores, control: str) -> list[Variant]:
    """Compare variants with the control on every data set, noise and metric.

    Trainings with the same seed start from the same weights and see the same batches, and are compared as a pair: the
    interval is Student's, over the differences of the pairs, and accounts for other seeds on the same images. Below
    `MINIMUM_SEEDS` seeds there is none. The p-values are adjusted by Holm's method for the comparisons of a data set and metric,
    that is, for its variants and noises.

    Args:
        scores: scores by data set and noise, with methods named {variant}-{seed}.
        control: the variant that the others are compared with.

    Raises:
        InputError: the name of a method has no seed, the control is missing, or variants have different seeds.
    """
    rows = [
        row
        for dataset, noises in scores.items()
        for noise, found in noises.items()
        for metric in METRICS_SHOWN
        if metric in found.values
        for row in _compare_noise(dataset, noise, metric, found, control)
    ]
    groups: dict[tuple[str, str], list[int]] = {}
    for i, row in enumerate(rows):
        if row.gain_p is not None:
            groups.setdefault((row.dataset, row.metric), []).append(i)
    for places in groups.values():
        adjusted = holm([p for i in places if (p := rows[i].gain_p) is not None])
        for i, p in zip(places, adjusted, strict=True):
            rows[i] = replace(rows[i], gain_p=p)
    return rows


def _compare_noise(dataset: str, noise: str, metric: str, scores: NoiseScores, control: str) -> Iterator[Variant]:
    groups = _by_variant(scores.values[metric], noise, control)
    seeds = sorted(groups[control])
    means = {variant: np.array([group[number].mean() for number in seeds]) for variant, group in groups.items()}
    for variant, by_seed in means.items():
        gains = sign(metric) * (by_seed - means[control])
        low, high, p = None, None, None
        if variant != control and len(seeds) >= MINIMUM_SEEDS:
            (low, high), p = t_interval(gains), t_test(gains)
        mean, gain = float(by_seed.mean()), float(gains.mean())
        values = (tuple(by_seed.tolist()), tuple(gains.tolist()))
        yield Variant(dataset, noise, metric, variant, mean, gain, low, high, p, *values)


def _by_variant(values: Mapping[str, np.ndarray], noise: str, control: str) -> dict[str, dict[str, np.ndarray]]:
    """Scores by variant and seed."""
    groups: dict[str, dict[str, np.ndarray]] = {}
    for method, scores in values.items():
        variant, _, number = method.rpartition("-")
        if not variant or not number:
            raise InputError(f"The ablation needs methods that are named variant-seed, but {method!r} has no seed.")
        groups.setdefault(variant, {})[number] = scores
    if control not in groups:
        raise InputError(f"{control!r}, the control, was not scored on noise {noise!r}: {nearest(control, groups)}")
    seeds = sorted(groups[control])
    for variant, group in groups.items():
        if sorted(group) != seeds:
            raise InputError(f"{variant!r} has the seeds {sorted(group)} on noise {noise!r}, but {control!r} has {seeds}.")
    return groups

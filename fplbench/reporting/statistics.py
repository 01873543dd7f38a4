"""Means with intervals from a paired bootstrap over patients, and differences with a paired permutation test."""

import math
from collections.abc import Sequence
from functools import cache

import numpy as np

RESAMPLES = 10_000
ENUMERATED_UNITS = 13
BLOCK = 10_000_000
"""Numbers that are drawn at a time: 80 MB."""
LEVEL = 0.95
SIGNIFICANCE = 0.05
MINIMUM_UNITS = 12
"""Below this number of units there are no intervals. Simulations on skewed scores find that they cover 92 % from here on
(benchmarks/coverage.py, docs/statistics.md)."""
MANY_UNITS = 30
"""Below this number, a note says that intervals are slightly too narrow; from here on they cover 93 to 95 % in the same
simulations."""
MINIMUM_SEEDS = 5
"""Below this number of training seeds there are no intervals over seeds."""


def bootstrap_means(values: np.ndarray, units: Sequence[str], rng: np.random.Generator, resamples: int = RESAMPLES) -> np.ndarray:
    """Means over images of bootstrap samples of units, such as patients (Efron and Tibshirani 1993).

    All quantities share the same draws, so that differences between columns of the result are paired. The images of a
    unit are drawn together, because they are not independent.

    Args:
        values: float (M, N), M quantities for the same N images.
        units: the unit of each of the N images.
        rng: random generator.
        resamples: number of samples B.

    Returns:
        float64 (B, M).
    """
    sums, counts = unit_sums(np.atleast_2d(values), units)
    share = np.full(len(counts), 1 / len(counts))
    means = []
    for size in _blocks(resamples, len(counts)):
        draws = rng.multinomial(len(counts), share, size=size)
        means.append((draws @ sums) / (draws @ counts)[:, None])
    return np.concatenate(means)


def interval(means: np.ndarray, units: int, level: float = LEVEL) -> np.ndarray:
    """Expanded percentile interval of bootstrapped means (Hesterberg 2015, doi 10.1080/00031305.2015.1089789).

    The plain percentile interval is too narrow with few units: the spread of the draws lacks the factor sqrt(n / (n - 1)),
    and the normal distribution takes the place of Student's. The expanded one reads wider percentiles that make up for both.

    Args:
        means: float (B, M), from `bootstrap_means`.
        units: number of units n, at least 2.
        level: confidence level.

    Returns:
        float64 (2, M), the lower and upper ends.
    """
    tail = _expanded_tail(units, level)
    return np.quantile(means, [tail, 1 - tail], axis=0)


def t_interval(values: Sequence[float], level: float = LEVEL) -> tuple[float, float]:
    """Student's interval for the mean of at least two independent values, such as differences of paired trainings."""
    from scipy.special import stdtrit

    mean, error = float(np.mean(values)), float(np.std(values, ddof=1)) / math.sqrt(len(values))
    margin = float(stdtrit(len(values) - 1, (1 + level) / 2)) * error
    return mean - margin, mean + margin


def t_test(values: Sequence[float]) -> float:
    """Two-sided p-value of Student's test that the mean of at least two independent values is 0; 1 if all of them are 0."""
    from scipy.special import stdtr

    mean, error = abs(float(np.mean(values))), float(np.std(values, ddof=1)) / math.sqrt(len(values))
    if error == 0:
        return float(mean == 0)
    return float(2 * stdtr(len(values) - 1, -mean / error))


@cache
def _expanded_tail(units: int, level: float) -> float:
    """Share of the draws below the lower end of the interval: Phi(-sqrt(n / (n - 1)) t), t of n - 1 degrees of freedom."""
    from scipy.special import ndtr, stdtrit

    return float(ndtr(math.sqrt(units / (units - 1)) * stdtrit(units - 1, (1 - level) / 2)))


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values for multiple comparisons (Holm 1979), which bounds the chance of any false discovery."""
    adjusted = [0.0] * len(p_values)
    running = 0.0
    for rank, i in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = running
    return adjusted


def permutation_p(
    differences: np.ndarray, units: Sequence[str], rng: np.random.Generator, resamples: int = RESAMPLES
) -> np.ndarray:
    """Two-sided p-value of no difference: how often random signs give a mean as far from zero (Pitman 1937).

    All differences of a unit, such as a patient, get the same sign. Up to 13 units, all combinations of signs are tried, so
    that p is at least 2 / 2^units; with more, random ones are.

    Args:
        differences: float (M, N), M paired differences for the same N images.
        units: the unit of each of the N images.
        rng: random generator.
        resamples: number of random combinations, including the observed one.

    Returns:
        float64 (M,).
    """
    sums, counts = unit_sums(np.atleast_2d(differences), units)
    # The tolerance treats totals as equal that differ only by rounding, because they were summed in another order.
    least = np.abs(sums.sum(axis=0)) * (1 - 1e-12)
    if len(counts) <= ENUMERATED_UNITS:
        bits = np.arange(2 ** len(counts))[:, None] >> np.arange(len(counts)) & 1
        return (np.abs((2.0 * bits - 1) @ sums) >= least).mean(axis=0)
    reached = np.zeros(sums.shape[1])
    for number, size in enumerate(_blocks(resamples, len(counts))):
        bits = rng.integers(0, 2, (size, len(counts)))
        if number == 0:
            bits[0] = 1  # the observed one
        reached += (np.abs((2.0 * bits - 1) @ sums) >= least).sum(axis=0)
    return reached / resamples


def smallest_p(units: int, comparisons: int = 1, resamples: int = RESAMPLES) -> float:
    """The smallest p-value that `permutation_p` can give, adjusted by `holm` for a number of comparisons.

    Two of the 2^n combinations of signs, the observed one and its opposite, give a mean as far from zero as any; among random
    combinations, at least the observed one does.
    """
    single = 2 / 2**units if units <= ENUMERATED_UNITS else 1 / resamples
    return min(1.0, comparisons * single)


def _blocks(resamples: int, units: int) -> list[int]:
    """Resamples in blocks of at most `BLOCK` numbers, which draw the same as all of them at once."""
    size = max(1, BLOCK // units)
    return [min(size, resamples - start) for start in range(0, resamples, size)]


def unit_sums(values: np.ndarray, units: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Sums (U, M) of values (M, N) over the images of each unit, and the numbers of images (U,)."""
    _, unit = np.unique(list(units), return_inverse=True)
    return np.stack([np.bincount(unit, row) for row in values], axis=1), np.bincount(unit)

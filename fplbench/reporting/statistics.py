"""Means with intervals from a paired bootstrap over patients, and differences with a paired permutation test."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import numpy as np

RESAMPLES = 10_000
ENUMERATED_UNITS = 13
LEVEL = 0.95
MINIMUM_UNITS = 12
"""Below this number of units there are no intervals. Simulations on skewed scores find that they cover 92 % from here on
(benchmarks/coverage.py, docs/statistics.md)."""
MANY_UNITS = 30
"""Below this number, a note says that intervals are slightly too narrow; from here on they cover 93 to 95 % in the same
simulations."""
MINIMUM_SEEDS = 5
"""Below this number of training seeds there are no intervals over seeds."""

Direction = Literal["higher", "lower"]


@dataclass(frozen=True)
class Lead:
    """By how much the reference method is better than another one, positive if it is, for metrics of either direction.

    Attributes:
        value: the difference of the means.
        low: lower end of its 95 % interval.
        high: upper end.
        p: p-value of the permutation test.
    """

    value: float
    low: float
    high: float
    p: float


@dataclass(frozen=True)
class Cell:
    """One cell of a table.

    Attributes:
        mean: the mean over images, or over units.
        low: lower end of its 95 % interval; None where there are too few units for one.
        high: upper end.
        best: whether it is the best of its row; several are if they tie.
        lead: the lead of the reference method over this one; None in its own column, without a reference method, for metrics of
            which neither end is better, and where there are too few units.
    """

    mean: float
    low: float | None = None
    high: float | None = None
    best: bool = False
    lead: Lead | None = None


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
    sums, counts = _unit_sums(np.atleast_2d(values), units)
    draws = rng.multinomial(len(counts), np.full(len(counts), 1 / len(counts)), size=resamples)
    return (draws @ sums) / (draws @ counts)[:, None]


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


def summarise(
    scores: Mapping[str, np.ndarray],
    units: Sequence[str],
    rng: np.random.Generator,
    direction: Direction | None = "higher",
    reference: str = "",
) -> dict[str, Cell]:
    """One row of a table: the mean of each method with its interval. The best are found from unrounded means.

    With fewer than `MINIMUM_UNITS` units there are means only, without intervals or leads.

    Args:
        scores: float (N,) by method, on the same N images. Images without a score (NaN) of any method are left out.
        units: the unit of each of the N images, such as its patient.
        rng: random generator; all methods share the same draws.
        direction: which scores are better; None if neither are, so that there is no best method and no lead.
        reference: the method whose lead over the others is computed; a method that was not scored gives no leads.
    """
    methods = list(scores)
    values = np.stack(list(scores.values()))
    kept = ~np.isnan(values).any(axis=0)
    values, units = values[:, kept], [unit for unit, keep in zip(units, kept, strict=True) if keep]
    if not units:
        return {}
    means = np.array([math.fsum(row) / len(row) for row in values])
    sign = -1 if direction == "lower" else 1
    best = sign * (sign * means).max()
    cells = {
        method: Cell(float(mean), best=bool(direction and mean == best)) for method, mean in zip(methods, means, strict=True)
    }
    count = len(set(units))
    if count < MINIMUM_UNITS:
        return cells
    resampled = bootstrap_means(values, units, rng)
    low, high = interval(resampled, count).tolist()
    leads: list[Lead | None] = [None] * len(methods)
    if direction and reference in scores:
        column = methods.index(reference)
        ends = interval(sign * (resampled[:, [column]] - resampled), count)
        p = permutation_p(values[column] - values, units, rng)
        leads = [Lead(*map(float, lead)) for lead in zip(sign * (means[column] - means), *ends, p, strict=True)]
        leads[column] = None
    return {method: replace(cells[method], low=low[i], high=high[i], lead=leads[i]) for i, method in enumerate(methods)}


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
    sums, counts = _unit_sums(np.atleast_2d(differences), units)
    if len(counts) <= ENUMERATED_UNITS:
        bits = np.arange(2 ** len(counts))[:, None] >> np.arange(len(counts)) & 1
    else:
        bits = rng.integers(0, 2, (resamples, len(counts)))
        bits[0] = 1
    totals = np.abs((2.0 * bits - 1) @ sums)
    # The tolerance treats totals as equal that differ only by rounding, because they were summed in another order.
    return (totals >= np.abs(sums.sum(axis=0)) * (1 - 1e-12)).mean(axis=0)


def _unit_sums(values: np.ndarray, units: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Sums (U, M) of values (M, N) over the images of each unit, and the numbers of images (U,)."""
    _, unit = np.unique(list(units), return_inverse=True)
    return np.stack([np.bincount(unit, row) for row in values], axis=1), np.bincount(unit)

"""Means with intervals from a paired bootstrap over patients, and differences with a paired permutation test."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

RESAMPLES = 10_000
ENUMERATED_UNITS = 13
LEVEL = 0.95


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
        mean: the mean over images.
        low: lower end of its 95 % interval.
        high: upper end.
        best: whether it is the best of its row; several are if they tie.
        lead: the lead of the reference method over this one; None in its own column, and without a reference method.
    """

    mean: float
    low: float
    high: float
    best: bool = False
    lead: Lead | None = None


def bootstrap_means(
    values: np.ndarray, patients: Sequence[str], rng: np.random.Generator, resamples: int = RESAMPLES
) -> np.ndarray:
    """Means over images of bootstrap samples of patients (Efron and Tibshirani 1993).

    All quantities share the same draws, so that differences between columns of the result are paired. The images of a
    patient are drawn together, because they are not independent. If all images are of one patient, single images are
    drawn; such an interval says nothing about other patients.

    Args:
        values: float (M, N), M quantities for the same N images.
        patients: N patient identifiers.
        rng: random generator.
        resamples: number of samples B.

    Returns:
        float64 (B, M).
    """
    sums, counts = _unit_sums(np.atleast_2d(values), patients)
    draws = rng.multinomial(len(counts), np.full(len(counts), 1 / len(counts)), size=resamples)
    return (draws @ sums) / (draws @ counts)[:, None]


def interval(means: np.ndarray, level: float = LEVEL) -> np.ndarray:
    """Percentile interval of bootstrapped means (B, M): float64 (2, M), the lower and upper ends."""
    return np.quantile(means, [(1 - level) / 2, (1 + level) / 2], axis=0)


def summarise(
    scores: Mapping[str, np.ndarray],
    patients: Sequence[str],
    rng: np.random.Generator,
    higher_is_better: bool = True,
    reference: str = "",
) -> dict[str, Cell]:
    """One row of a table: the mean of each method with its interval. The best are found from unrounded means.

    Args:
        scores: float (N,) by method, on the same N images.
        patients: N patient identifiers.
        rng: random generator; all methods share the same draws.
        higher_is_better: direction of the metric.
        reference: the method whose lead over the others is computed; a method that was not scored gives no leads.
    """
    methods = list(scores)
    values = np.stack(list(scores.values()))
    means = np.array([math.fsum(row) / len(row) for row in values])
    resampled = bootstrap_means(values, patients, rng)
    low, high = interval(resampled)
    sign = 1 if higher_is_better else -1
    leads: list[Lead | None] = [None] * len(methods)
    if reference in scores:
        column = methods.index(reference)
        ends = interval(sign * (resampled[:, [column]] - resampled))
        p = permutation_p(values[column] - values, patients, rng)
        leads = [Lead(*map(float, lead)) for lead in zip(sign * (means[column] - means), *ends, p, strict=True)]
        leads[column] = None
    best = sign * (sign * means).max()
    return {
        method: Cell(float(means[i]), float(low[i]), float(high[i]), bool(means[i] == best), leads[i])
        for i, method in enumerate(methods)
    }


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values for multiple comparisons (Holm 1979), which bounds the chance of any false discovery."""
    adjusted = [0.0] * len(p_values)
    running = 0.0
    for rank, i in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = running
    return adjusted


def permutation_p(
    differences: np.ndarray, patients: Sequence[str], rng: np.random.Generator, resamples: int = RESAMPLES
) -> np.ndarray:
    """Two-sided p-value of no difference: how often random signs give a mean as far from zero (Pitman 1937).

    All differences of a patient get the same sign; if all images are of one patient, each image gets its own. Up to 13
    patients, all combinations of signs are tried, so that p is at least 2 / 2^patients; with more, random ones are.

    Args:
        differences: float (M, N), M paired differences for the same N images.
        patients: N patient identifiers.
        rng: random generator.
        resamples: number of random combinations, including the observed one.

    Returns:
        float64 (M,).
    """
    sums, counts = _unit_sums(np.atleast_2d(differences), patients)
    if len(counts) <= ENUMERATED_UNITS:
        bits = np.arange(2 ** len(counts))[:, None] >> np.arange(len(counts)) & 1
    else:
        bits = rng.integers(0, 2, (resamples, len(counts)))
        bits[0] = 1
    totals = np.abs((2.0 * bits - 1) @ sums)
    # The tolerance treats totals as equal that differ only by rounding, because they were summed in another order.
    return (totals >= np.abs(sums.sum(axis=0)) * (1 - 1e-12)).mean(axis=0)


def _unit_sums(values: np.ndarray, patients: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Sums (U, M) of values (M, N) over the images of each unit, and the numbers of images (U,).

    A unit is a patient, or an image if there is only one patient.
    """
    _, unit = np.unique(list(patients), return_inverse=True)
    if unit.max(initial=0) == 0:
        unit = np.arange(values.shape[1])
    return np.stack([np.bincount(unit, row) for row in values], axis=1), np.bincount(unit)

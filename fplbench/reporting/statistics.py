"""Means with intervals by a paired bootstrap, and differences by a paired permutation test, over patients."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

RESAMPLES = 10_000
ENUMERATED_UNITS = 13
LEVEL = 0.95


@dataclass(frozen=True)
class Lead:
    """By how much the reference method is better than another one: positive where it is, whichever end is best.

    `low` and `high` bound the 95 % interval; `p` is that of the permutation test.
    """

    value: float
    low: float
    high: float
    p: float


@dataclass(frozen=True)
class Cell:
    """One mean of a table, its 95 % interval, whether it is the best of its row (ties all are), and the lead over it.

    `lead` is None in the reference method's own column, and where there is no reference method.
    """

    mean: float
    low: float
    high: float
    best: bool = False
    lead: Lead | None = None


def bootstrap_means(
    values: np.ndarray, patients: Sequence[str], rng: np.random.Generator, resamples: int = RESAMPLES
) -> np.ndarray:
    """Means over images when the patients are drawn anew, with replacement (Efron and Tibshirani 1993).

    All rows see the same draws, so that differences of columns of the result are paired. Images of one patient are
    drawn together, for they are not independent. Where all images are of one patient, images are drawn: such an
    interval says nothing about other patients.

    Args:
        values: float (M, N), M quantities on the same N images.
        patients: N patient identifiers.
        rng: the random stream.
        resamples: number of draws B.

    Returns:
        float64 (B, M).
    """
    sums, counts = _unit_sums(np.atleast_2d(values), patients)
    draws = rng.multinomial(len(counts), np.full(len(counts), 1 / len(counts)), size=resamples)
    return (draws @ sums) / (draws @ counts)[:, None]


def interval(means: np.ndarray, level: float = LEVEL) -> np.ndarray:
    """Percentile interval of bootstrapped means: float64 (2, M), low and high, from (B, M)."""
    return np.quantile(means, [(1 - level) / 2, (1 + level) / 2], axis=0)


def summarise(
    scores: Mapping[str, np.ndarray],
    patients: Sequence[str],
    rng: np.random.Generator,
    higher_is_better: bool = True,
    reference: str = "",
) -> dict[str, Cell]:
    """One row of a table: the mean of each method with its interval; the best are marked on unrounded means.

    Args:
        scores: float (N,) by method, on the same N images.
        patients: N patient identifiers.
        rng: the random stream; the same draws serve every method.
        higher_is_better: which end is best.
        reference: the method whose lead over each other one is wanted; unknown names give no leads.
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
        method: Cell(*map(float, (means[i], low[i], high[i])), best=bool(means[i] == best), lead=leads[i])
        for i, method in enumerate(methods)
    }


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values for being many (Holm 1979): the chance of any false discovery among them stays at the level."""
    adjusted = [0.0] * len(p_values)
    running = 0.0
    for rank, i in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = running
    return adjusted


def permutation_p(
    differences: np.ndarray, patients: Sequence[str], rng: np.random.Generator, resamples: int = RESAMPLES
) -> np.ndarray:
    """Two-sided p of no difference: how often random signs give a mean as far from zero (Pitman 1937).

    All differences of a patient get one sign; where all images are of one patient, each image gets its own. Up to 13
    patients every combination of signs is tried, so p cannot be below 2 / 2^patients; beyond, random ones are.

    Args:
        differences: float (M, N), M paired differences on the same N images.
        patients: N patient identifiers.
        rng: the random stream.
        resamples: number of random combinations, with the observed one among them.

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
    # The tolerance lets totals count as equal that differ by the rounding of sums taken in another order.
    return (totals >= np.abs(sums.sum(axis=0)) * (1 - 1e-12)).mean(axis=0)


def _unit_sums(values: np.ndarray, patients: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Sums (U, M) of values (M, N) over the images of each unit, and the numbers of images (U,).

    A unit is a patient, or an image where there is but one patient.
    """
    _, unit = np.unique(list(patients), return_inverse=True)
    if unit.max(initial=0) == 0:
        unit = np.arange(values.shape[1])
    return np.stack([np.bincount(unit, row) for row in values], axis=1), np.bincount(unit)

"""One row of a table: the mean of each method with its interval, and the lead of one method over the others."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from fplbench.reporting.crossed import crossed_interval, crossed_p
from fplbench.reporting.statistics import (
    MINIMUM_SEEDS,
    MINIMUM_UNITS,
    SIGNIFICANCE,
    bootstrap_means,
    holm,
    interval,
    permutation_p,
    t_interval,
)

Direction = Literal["higher", "lower"]
Over = Literal["units", "seeds", "both"]


@dataclass(frozen=True)
class Lead:
    """By how much the reference method is better than another one, positive if it is, for metrics of either direction.

    Attributes:
        value: the difference of the means.
        low: lower end of its 95 % interval.
        high: upper end.
        p: p-value of the permutation test; of Student's test over seeds and units where there are enough seeds.
    """

    value: float
    low: float
    high: float
    p: float


@dataclass(frozen=True)
class Cell:
    """One cell of a table.

    Attributes:
        mean: the mean over images, or over units, and over the trainings.
        low: lower end of its 95 % interval; None where there are too few units and seeds for one.
        high: upper end.
        best: whether it is the best of its row; several are if their means are equal.
        second: whether it is the second best; none is where several are the best.
        tied: whether the paired test does not tell it from the best of its row, at a p-value of 0.05 that is adjusted for the
            cells of the row; false for the best itself, and where there are too few units.
        lead: the lead of the reference method over this one; None in its own column, without a reference method, for metrics of
            which neither end is better, and where there are too few units.
        over: what the interval is over: units, such as patients; training seeds, on the same images; or both.
        seeds: number of trainings with different seeds.
        least: the lowest mean of a training; None with one training.
        most: the highest one.
    """

    mean: float
    low: float | None = None
    high: float | None = None
    best: bool = False
    second: bool = False
    tied: bool = False
    lead: Lead | None = None
    over: Over = "units"
    seeds: int = 1
    least: float | None = None
    most: float | None = None


def summarise(
    scores: Mapping[str, np.ndarray],
    units: Sequence[str],
    rng: np.random.Generator,
    direction: Direction | None = "higher",
    reference: str = "",
) -> dict[str, Cell]:
    """One row of a table: the mean of each method with its interval. The best are found from unrounded means.

    With fewer than `MINIMUM_UNITS` units there are no intervals over them and no leads; a method that was trained with at least
    `MINIMUM_SEEDS` seeds then has an interval over seeds alone, and else one over units and seeds.

    Args:
        scores: by method, on the same N images: float (N,), or (S, N) for a method that was trained with S seeds. Images
            without a score (NaN) of any method are left out. Trainings with the same place in S are compared as pairs.
        units: the unit of each of the N images, such as its patient.
        rng: random generator; all methods share the same draws of units.
        direction: which scores are better; None if neither are, so that there is no best method and no lead.
        reference: the method whose lead over the others is computed; a method that was not scored gives no leads.
    """
    kept = ~np.any([np.isnan(np.atleast_2d(values)).any(axis=0) for values in scores.values()], axis=0)
    trained = {method: np.atleast_2d(values)[:, kept] for method, values in scores.items()}
    units = [unit for unit, keep in zip(units, kept, strict=True) if keep]
    if not units:
        return {}
    cells = _means(trained, direction)
    if len(set(units)) < MINIMUM_UNITS:
        return {method: _over_seeds(cell, trained[method]) for method, cell in cells.items()}
    values = np.stack([own.mean(axis=0) for own in trained.values()])
    resampled = bootstrap_means(values, units, rng)
    low, high = interval(resampled, len(set(units))).tolist()
    leads: dict[str, Lead] = {}
    ties: dict[str, float] = {}
    if direction:
        leads, ties = _compared(cells, values, resampled, reference, units, rng, direction)
    cells = {
        method: replace(cell, low=low[i], high=high[i], lead=leads.get(method)) for i, (method, cell) in enumerate(cells.items())
    }
    return _tied(_over_both(cells, trained, resampled, reference, units, rng, direction), ties, trained, units)


def _means(trained: Mapping[str, np.ndarray], direction: Direction | None) -> dict[str, Cell]:
    """Means of scores (S, N), the best and second ones, and the range of the means of single trainings."""
    means = {method: math.fsum(values.flat) / values.size for method, values in trained.items()}
    ordered = sorted(means.values(), reverse=direction != "lower")
    best, second = ordered[0], ordered[1] if len(ordered) > 1 else None
    cells = {}
    for method, values in trained.items():
        single = values.mean(axis=1)
        ends = (float(single.min()), float(single.max())) if len(values) > 1 else (None, None)
        mean = means[method]
        cell = Cell(mean, seeds=len(values), least=ends[0], most=ends[1])
        cells[method] = replace(cell, best=mean == best, second=mean == second != best) if direction else cell
    return cells


def _over_seeds(cell: Cell, values: np.ndarray) -> Cell:
    """The cell with an interval over seeds, on the same images, where there are enough of them."""
    if len(values) < MINIMUM_SEEDS:
        return cell
    low, high = t_interval(values.mean(axis=1).tolist())
    return replace(cell, low=low, high=high, over="seeds")


def _compared(
    cells: Mapping[str, Cell],
    values: np.ndarray,
    resampled: np.ndarray,
    reference: str,
    units: Sequence[str],
    rng: np.random.Generator,
    direction: Direction,
) -> tuple[dict[str, Lead], dict[str, float]]:
    """Leads of the reference over each other method, with intervals over units, and p-values of no difference from the best.

    All tests share the same permutations.
    """
    methods = list(cells)
    best = next(method for method, cell in cells.items() if cell.best)
    compared = [best, reference] if reference in cells else [best]
    differences = np.concatenate([values[methods.index(method)] - values for method in compared])
    p = permutation_p(differences, units, rng).reshape(len(compared), len(methods)).tolist()
    ties = {method: p[0][i] for i, method in enumerate(methods) if not cells[method].best}
    if reference not in cells:
        return {}, ties
    sign = -1 if direction == "lower" else 1
    low, high = interval(sign * (resampled[:, [methods.index(reference)]] - resampled), len(set(units))).tolist()
    leads = {
        method: Lead(sign * (cells[reference].mean - cells[method].mean), low[i], high[i], p[1][i])
        for i, method in enumerate(methods)
        if method != reference
    }
    return leads, ties


def _tied(
    cells: Mapping[str, Cell], p_values: Mapping[str, float], trained: Mapping[str, np.ndarray], units: Sequence[str]
) -> dict[str, Cell]:
    """The cells, with those marked that the test does not tell from the best of the row.

    As for leads, it is the one over seeds and units where either of the two has enough seeds.
    """
    best = next((method for method, cell in cells.items() if cell.best), "")
    p = {
        method: crossed_p(trained[best] - trained[method], units)
        if max(cells[method].seeds, cells[best].seeds) >= MINIMUM_SEEDS
        else p
        for method, p in p_values.items()
    }
    tied = {method for method, adjusted in zip(p, holm(list(p.values())), strict=True) if adjusted >= SIGNIFICANCE}
    return {method: replace(cell, tied=method in tied) for method, cell in cells.items()}


def _over_both(
    cells: Mapping[str, Cell],
    trained: Mapping[str, np.ndarray],
    resampled: np.ndarray,
    reference: str,
    units: Sequence[str],
    rng: np.random.Generator,
    direction: Direction | None,
) -> dict[str, Cell]:
    """The cells with intervals over seeds and units, where a method, or either of two compared ones, has enough seeds."""
    sign = -1 if direction == "lower" else 1
    seed = int(rng.integers(2**63))  # the same draws for all methods, whichever there are
    found = {}
    for place, (method, cell) in enumerate(cells.items()):
        if cell.seeds >= MINIMUM_SEEDS:
            low, high = crossed_interval(resampled[:, place], trained[method], units, np.random.default_rng(seed))
            cell = replace(cell, low=low, high=high, over="both")
        if cell.lead and max(cell.seeds, cells[reference].seeds) >= MINIMUM_SEEDS:
            differences = sign * (trained[reference] - trained[method])
            means = sign * (resampled[:, list(cells).index(reference)] - resampled[:, place])
            low, high = crossed_interval(means, differences, units, np.random.default_rng(seed))
            cell = replace(cell, lead=Lead(cell.lead.value, low, high, crossed_p(differences, units)))
        found[method] = cell
    return found

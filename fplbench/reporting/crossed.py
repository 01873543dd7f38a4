"""Intervals and tests over training seeds and patients at once. The two are crossed: each training is scored on every patient."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fplbench.reporting.statistics import LEVEL, unit_sums

MOST_FREEDOM = 1e9


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds and units, such as patients, and how far it may be off.

    Attributes:
        mean: over the images of all trainings.
        variance: of the mean, for other seeds and other units.
        freedom: degrees of freedom of that variance.
        between_seeds: the part of it that comes from the seeds.
    """

    mean: float
    variance: float
    freedom: float
    between_seeds: float


def estimate(values: np.ndarray, units: Sequence[str]) -> Estimate:
    """Mean of crossed scores with its variance, as studies of several readers and cases have it (Hillis et al. 2005, doi
    10.1002/sim.2024).

    The variance is the sum of that between units, from scores averaged over seeds, and of that between the means of seeds, less
    what both contain: the variance of single seeds on single units. Its degrees of freedom are Satterthwaite's.

    Args:
        values: float (S, N), scores of the same N images by S seeds, at least 2, or differences of such scores.
        units: the unit of each of the N images, at least 2 different ones.
    """
    sums, counts = unit_sums(values, units)
    images, number, seeds = len(units), len(counts), len(values)
    means = sums.sum(axis=0) / images
    residuals = sums - counts[:, None] * means
    of_units = residuals.mean(axis=1)
    scale = number / (number - 1) / images**2  # of a mean over images of which those of a unit belong together
    between_units = scale * float(np.square(of_units).sum())
    between_seeds = float(means.var(ddof=1)) / seeds
    single = scale * float(np.square(residuals - of_units[:, None]).sum()) / (seeds * (seeds - 1))
    variance = max(between_units + between_seeds - single, between_units, between_seeds)
    parts = between_units**2 / (number - 1) + between_seeds**2 / (seeds - 1)
    return Estimate(float(means.mean()), variance, variance**2 / parts if parts else math.inf, between_seeds)


def crossed_interval(
    means: np.ndarray, values: np.ndarray, units: Sequence[str], rng: np.random.Generator
) -> tuple[float, float]:
    """Interval for a mean over seeds and units, from bootstrap samples of units and normal draws of the seeds.

    A handful of seeds does not show how their means are distributed, so these are taken to be normal. As with one seed, wider
    percentiles than those of the draws are read, because there are few units and fewer seeds: those at which normal draws would
    have the ends of Student's interval, mean ± t √variance, with the variance and the degrees of freedom of `estimate`.
    Without variance between seeds that is `statistics.interval`.

    Args:
        means: float (B,), `bootstrap_means` of the scores, averaged over seeds.
        values: float (S, N), the scores, as for `estimate`.
        units: the unit of each of the N images.
        rng: random generator.

    Returns:
        The lower and the upper end.
    """
    from scipy.special import ndtr, stdtrit

    found = estimate(values, units)
    draws = means + math.sqrt(found.between_seeds) * rng.standard_normal(len(means))
    spread = float(draws.std())
    if not spread:
        return found.mean, found.mean
    t = stdtrit(min(found.freedom, MOST_FREEDOM), (1 - LEVEL) / 2)
    tail = float(ndtr(t * math.sqrt(found.variance) / spread))
    low, high = np.quantile(draws, [tail, 1 - tail])
    return float(low), float(high)


def crossed_p(values: np.ndarray, units: Sequence[str]) -> float:
    """Two-sided p-value that the mean of crossed differences is 0 for other seeds and other units: Student's, as `estimate`.

    Args:
        values: float (S, N), as for `estimate`.
        units: the unit of each of the N images.
    """
    from scipy.special import stdtr

    found = estimate(values, units)
    if not found.variance:
        return float(found.mean == 0)
    return float(2 * stdtr(min(found.freedom, MOST_FREEDOM), -abs(found.mean) / math.sqrt(found.variance)))

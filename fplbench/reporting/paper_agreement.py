"""How far a run agrees with a published table: the best methods, their order, and the values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fplbench.calibration.evidence import rank_correlation
from fplbench.calibration.scenes import TOLERANCE
from fplbench.published import COUNTERPARTS
from fplbench.reporting.paper_cells import Comparison

PAPERS_METHOD = "fpl"
FEWEST_METHODS = 3
"""With fewer methods there is no rank correlation: two can only be in the same order or in the opposite one."""


@dataclass(frozen=True)
class Agreement:
    """How far the values of one metric agree.

    Attributes:
        metric: the published metric, psnr or ssim.
        best: by noise, the methods with the highest published value, several of which may be equal as they are rounded, and with
            our highest mean, which is not; among the methods with both, at least two.
        correlations: Spearman's correlation of the methods by noise, None where it is not defined, and the number of methods.
        means: the same for the means over the noises, of the methods with both values on every noise with any.
        everything: the same for all values of all noises together.
        distances: absolute differences between our values and the published ones.
    """

    metric: str
    best: Mapping[str, tuple[set[str], set[str]]]
    correlations: Mapping[str, tuple[float | None, int]]
    means: tuple[float | None, int]
    everything: tuple[float | None, int]
    distances: Sequence[float]

    @property
    def same_best(self) -> int:
        """In how many noises the best method is the same; one in common is enough where several are."""
        return sum(bool(theirs & ours) for theirs, ours in self.best.values())

    @property
    def first_in_both(self) -> int:
        """In how many noises the paper's method is the best, or one of them, in both."""
        return sum(PAPERS_METHOD in theirs & ours for theirs, ours in self.best.values())

    @property
    def known(self) -> list[float]:
        """The correlations that are defined."""
        return [value for value, _ in self.correlations.values() if value is not None]

    @property
    def close(self) -> int:
        """How many values are within the tolerance."""
        return sum(distance <= TOLERANCE[COUNTERPARTS[self.metric]] for distance in self.distances)


def agreement(comparison: Comparison, metric: str) -> Agreement:
    """How far the values of a metric agree, psnr (with the wrapped PSNR) or ssim."""
    pairs = {noise: comparison.pairs(metric, noise) for noise in comparison.noises}
    pairs = {noise: found for noise, found in pairs.items() if found}
    common = set.intersection(*(set(found) for found in pairs.values())) if pairs else set()
    sums = [tuple(sum(found[method][side] for found in pairs.values()) for side in (0, 1)) for method in sorted(common)]
    every = [pair for found in pairs.values() for pair in found.values()]
    return Agreement(
        metric=metric,
        best={noise: (_highest(found, 0), _highest(found, 1)) for noise, found in pairs.items() if len(found) > 1},
        correlations={noise: correlated(list(found.values())) for noise, found in pairs.items()},
        means=correlated(sums),
        everything=correlated(every),
        distances=[abs(ours - theirs) for theirs, ours in every],
    )


def correlated(pairs: Sequence[Sequence[float]]) -> tuple[float | None, int]:
    """Spearman's rank correlation of pairs of values, with mean ranks for ties, and the number of pairs.

    The correlation is None with fewer than three pairs, or where all values of a side are equal.
    """
    enough = len(pairs) >= FEWEST_METHODS
    return rank_correlation(*zip(*pairs, strict=True)) if enough else None, len(pairs)


def _highest(pairs: Mapping[str, tuple[float, float]], side: int) -> set[str]:
    highest = max(pair[side] for pair in pairs.values())
    return {method for method, pair in pairs.items() if pair[side] == highest}

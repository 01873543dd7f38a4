"""Channelized Hotelling observer: how well a signal of known place and shape can be told from its absence."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import Field, PositiveFloat

from fplbench.options import Options

LEVEL = 0.95
COMPARISONS = 640_000  # of ratings at a time: 64 resamples of 200 pairs, or one of 1600


class ObserverOptions(Options):
    """The model observer and its intervals."""

    channels: int = Field(5, ge=1, le=20, description="Number of Laguerre-Gauss channels.")
    width: PositiveFloat = Field(0.6, description="Width a of the channels, in diameters of the signal.")
    resamples: int = Field(1000, ge=100, description="Bootstrap resamples of the image pairs for the 95 % intervals.")


@dataclass(frozen=True)
class Detection:
    """How well an observer detects a signal: estimates, and what bootstrap samples of the image pairs give.

    Attributes:
        dprime: detectability index d'.
        auc: area under the ROC curve.
        dprimes: float64 (B,), d' of each bootstrap sample.
        aucs: float64 (B,), AUC of each bootstrap sample.
    """

    dprime: float
    auc: float
    dprimes: np.ndarray
    aucs: np.ndarray


def halves(groups: Sequence[str], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Split pairs into two halves of about the same size.

    Args:
        groups: for each pair, what must not be divided, such as the slice it is from. A single group is divided.
        rng: random generator.

    Returns:
        Positions of the pairs of each half.
    """
    _, members, counts = np.unique(list(groups), return_inverse=True, return_counts=True)
    if len(counts) == 1:
        members, counts = np.arange(len(members)), np.ones(len(members), int)
    sizes, side = [0, 0], np.zeros(len(counts), int)
    for group in rng.permutation(len(counts)):
        side[group] = int(sizes[1] < sizes[0])
        sizes[side[group]] += int(counts[group])
    return np.flatnonzero(side[members] == 0), np.flatnonzero(side[members] == 1)


def resample(parts: Sequence[np.ndarray], pairs: int, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """How often each pair occurs in each bootstrap sample; both halves are drawn from on their own.

    Args:
        parts: positions of the pairs of each half.
        pairs: number of pairs, N.
        resamples: number of samples, B.
        rng: random generator.

    Returns:
        float64 (B, N).
    """
    weights = np.zeros((resamples, pairs))
    for part in parts:
        weights[:, part] = rng.multinomial(len(part), np.full(len(part), 1 / len(part)), size=resamples)
    return weights


def observe(absent: np.ndarray, present: np.ndarray, parts: tuple[np.ndarray, np.ndarray], weights: np.ndarray) -> Detection:
    """Train the observer on one half of the pairs, test it on the other, and the other way round; the mean of the two.

    The template is w = S^-1 dv (Barrett et al. 1993), from the training half. The ratings t = w^T v of the test half give
    d' = (mean t_present - mean t_absent) / sqrt((var t_present + var t_absent) / 2), and the AUC as the rank statistic: how
    often a present rating exceeds an absent one, ties counting half. Training on images that are not tested makes both
    slightly too low rather than too high. A bootstrap sample trains and tests again.

    Args:
        absent: float (N, C), channel responses without the signal.
        present: float (N, C), with it, of the same backgrounds.
        parts: positions of the pairs of each half.
        weights: float (B, N), how often each pair occurs in each bootstrap sample.
    """
    samples = np.concatenate([np.ones((1, len(absent))), weights])
    found = np.mean(
        [_test(absent[test], present[test], samples[:, test], _templates(absent[train], present[train], samples[:, train]))
         for train, test in (parts, parts[::-1])],
        axis=0,
    )  # fmt: skip
    return Detection(float(found[0, 0]), float(found[1, 0]), found[0, 1:], found[1, 1:])


def percentile_interval(values: np.ndarray, level: float = LEVEL) -> tuple[float, float]:
    """The percentile interval of bootstrapped values (B,): lower and upper end."""
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _templates(absent: np.ndarray, present: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Templates (B, C) from responses (N, C), each counted as often as the weights (B, N) say."""
    count = weights.sum(axis=1)[:, None]
    means, covariances = [], []
    for responses in (absent, present):
        mean = weights @ responses / count
        products = (responses[:, :, None] * responses[:, None, :]).reshape(len(responses), -1)
        second = (weights @ products / count).reshape(len(weights), *2 * responses.shape[1:])
        means.append(mean)
        covariances.append(second - mean[:, :, None] * mean[:, None, :])
    covariance = (covariances[0] + covariances[1]) / 2
    # The pseudoinverse: a method may leave a channel without any variance.
    inverse = np.linalg.pinv(covariance, rcond=1e-10, hermitian=True)
    return np.einsum("bcd,bd->bc", inverse, means[1] - means[0])


def _test(absent: np.ndarray, present: np.ndarray, weights: np.ndarray, templates: np.ndarray) -> np.ndarray:
    """The d' and AUC (2, B) of templates (B, C), on responses (N, C) that are counted by weights (B, N)."""
    count = weights.sum(axis=1)
    ratings = [templates @ responses.T for responses in (absent, present)]
    means = [(weights * each).sum(axis=1) / count for each in ratings]
    squares = [(weights * (each - mean[:, None]) ** 2).sum(axis=1) for each, mean in zip(ratings, means, strict=True)]
    variance = (squares[0] + squares[1]) / 2 / (count - 1)
    difference = means[1] - means[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        dprime = np.where(variance > 0, difference / np.sqrt(variance), np.sign(difference) * np.inf)
    auc = np.empty(len(weights))
    step = max(1, COMPARISONS // len(absent) ** 2)
    for start in range(0, len(weights), step):
        part = slice(start, start + step)
        wins = np.sign(ratings[1][part, :, None] - ratings[0][part, None, :]) / 2 + 0.5
        auc[part] = np.einsum("bi,bij,bj->b", weights[part], wins, weights[part], optimize=True) / count[part] ** 2
    return np.stack([np.nan_to_num(dprime, nan=0.0), auc])

"""The fit: the levels of the noises with the DIRECT algorithm, and the options of the filters by trying all candidates."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from fplbench.calibration.scenes import METRICS, Scene
from fplbench.calibration.search import FILTERS, FIXED, LEVELS, candidates

Options = Mapping[str, Any]


@dataclass(frozen=True)
class Comparison:
    """One of our scores and the published one. `fit` is both or ssim: the scores to which the levels were fitted."""

    fit: str
    dataset: str
    noise: str
    method: str
    metric: str
    ours: float
    published: float | None


@dataclass(frozen=True)
class FilterFit:
    """Options of a filter, and its mean distance from the published scores with these and with the default options.

    Distances are in units of the tolerance.
    """

    options: Options
    distance: float
    default_distance: float


@dataclass(frozen=True)
class Calibration:
    """The result of a fit.

    Attributes:
        levels: options of each noise, fitted to the published scores on all data sets together.
        spread: lowest and highest value of each fitted option over fits that differ only in the seed of the noises.
        own_levels: options fitted to each data set separately, by data set and noise.
        ssim_levels: options fitted to the published SSIM alone, and so independent of the published PSNR.
        filters: the fitted options of each cheap baseline, at `levels`.
        comparisons: all scores at `levels` and at `ssim_levels`, with the default options of the filters.
        images: number of images of each data set.
    """

    levels: Mapping[str, Options]
    spread: Mapping[str, Mapping[str, tuple[float, float]]]
    own_levels: Mapping[str, Mapping[str, Options]]
    ssim_levels: Mapping[str, Options]
    filters: Mapping[str, FilterFit]
    comparisons: Sequence[Comparison]
    images: Mapping[str, int]


def calibrate(
    scenes: Sequence[Scene],
    *,
    seed: int,
    noises: Iterable[str] = LEVELS,
    evaluations: int = 18,
    repeats: int = 3,
    threads: int = 1,
) -> Calibration:
    """Fit levels and filters so that wrapped PSNR and SSIM of the cheap baselines come as close as possible to the published.

    The criterion is the mean absolute difference over data sets, baselines and both scores, each in units of its tolerance.
    It is robust: a baseline whose unpublished options were quite different does not dominate it. The levels are fitted
    with the default options of the filters, and the filters at these levels.

    Args:
        scenes: clean images of one or more data sets.
        seed: seed of the noises.
        noises: names of the noises to fit.
        evaluations: evaluations of the criterion for each option that is fitted.
        repeats: number of fits with different seeds, which give the spread; the first gives the levels.
        threads: number of processor cores, which work on different noises.
    """
    present = [noise for noise in noises if any(_has_target(scene, noise) for scene in scenes)]
    with ThreadPoolExecutor(threads) as pool:

        def levels(on: Sequence[Scene], metrics: tuple[str, ...] = METRICS, seed: int = seed) -> dict[str, Options]:
            fitted = [noise for noise in present if any(_has_target(scene, noise) for scene in on)]
            task = partial(fit_level, on, metrics=metrics, seed=seed, evaluations=evaluations)
            return dict(zip(fitted, pool.map(task, fitted), strict=True))

        found = [levels(scenes, seed=seed + k) for k in range(repeats)]
        by_ssim = levels(scenes, ("ssim",))
        own = {scene.dataset: levels([scene]) if scenes[1:] else found[0] for scene in scenes}
        filters = dict(zip(FILTERS, pool.map(partial(fit_filter, scenes, found[0], seed=seed), FILTERS), strict=True))
        tasks = [(scene, noise, *fit) for fit in (("both", found[0]), ("ssim", by_ssim)) for scene in scenes for noise in present]
        comparisons = [row for rows in pool.map(lambda task: _compare(*task, seed=seed), tasks) for row in rows]
    images = {scene.dataset: len(scene.clean) for scene in scenes}
    return Calibration(found[0], _spread(found), own, by_ssim, filters, comparisons, images)


def _spread(found: Sequence[Mapping[str, Options]]) -> dict[str, dict[str, tuple[float, float]]]:
    """Lowest and highest value of each fitted option."""
    values = {noise: {name: [each[noise][name] for each in found] for name in LEVELS[noise]} for noise in found[0]}
    return {noise: {name: (min(each), max(each)) for name, each in options.items()} for noise, options in values.items()}


def fit_level(scenes: Sequence[Scene], noise: str, *, metrics: tuple[str, ...], seed: int, evaluations: int) -> dict[str, Any]:
    """The options of a noise that minimise the mean distance from the published scores of the fast baselines."""
    from scipy.optimize import direct

    dimensions = LEVELS[noise]
    fixed = FIXED.get(noise, {}) if "psnr_uint8" in metrics else {}

    def options(point: np.ndarray) -> dict[str, Any]:
        values = {name: each.value(unit) for (name, each), unit in zip(dimensions.items(), point, strict=True)}
        return {**fixed, **values}

    result = direct(
        lambda point: _distance(scenes, noise, options(point), metrics, seed),
        [(0, 1)] * len(dimensions),
        maxfun=evaluations * len(dimensions),
        locally_biased=True,
        vol_tol=0,
    )
    return options(result.x)


def fit_filter(scenes: Sequence[Scene], levels: Mapping[str, Options], method: str, *, seed: int) -> FilterFit:
    """The candidate options of a filter with the smallest mean distance from its published scores over all noises."""
    cases = [(scene, noise, scene.noisy(noise, options, seed)) for scene in scenes for noise, options in levels.items()]

    def distance(options: Options) -> float:
        parts = [
            scene.distance(noise, method, scene.scores(noisy, method, options), METRICS)
            for scene, noise, noisy in cases
            if scene.target(noise, method, "ssim") is not None
        ]
        return float(np.mean(np.concatenate(parts)))

    distances = [(distance(options), options) for options in candidates(method)]
    least, options = min(distances, key=lambda pair: pair[0])
    return FilterFit(options, least, distance({}))


def _distance(scenes: Sequence[Scene], noise: str, options: Options, metrics: tuple[str, ...], seed: int) -> float:
    parts = []
    for scene in scenes:
        if _has_target(scene, noise):
            for method, scores in scene.baseline_scores(noise, options, seed).items():
                parts += scene.distance(noise, method, scores, metrics)
    return float(np.mean(parts))


def _has_target(scene: Scene, noise: str) -> bool:
    return any(scene.target(noise, method, "ssim") is not None for method in FILTERS)


def _compare(scene: Scene, noise: str, fit: str, levels: Mapping[str, Options], *, seed: int) -> list[Comparison]:
    """Scores of all cheap baselines and of the noisy images at the fitted level, rounded to four decimals.

    Empty if nothing is published for the noise.
    """
    if not _has_target(scene, noise):
        return []
    noisy = scene.noisy(noise, levels[noise], seed)
    rows = []
    for method in ("noisy", *FILTERS):
        for metric, ours in scene.scores(noisy, method, {}, ("psnr", *METRICS)).items():
            target = None if metric == "psnr" else scene.target(noise, method, metric)
            rows.append(Comparison(fit, scene.dataset, noise, method, metric, round(ours, 4), target))
    return rows

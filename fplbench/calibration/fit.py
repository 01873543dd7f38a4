"""The fit: levels of the noises by the DIRECT algorithm, options of the filters by trying every candidate."""

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
    """A score of ours beside the published one. `fit` is both or ssim: the scores the levels were fitted to."""

    fit: str
    dataset: str
    noise: str
    method: str
    metric: str
    ours: float
    published: float | None


@dataclass(frozen=True)
class Calibration:
    """The outcome of a fit.

    Attributes:
        levels: options of each noise that bring all data sets together closest to the published scores.
        own_levels: the same for each data set alone, by data set and noise.
        ssim_levels: fitted to the published SSIM alone, with the filters' default options: free of published PSNRs.
        filters: options of each cheap baseline.
        comparisons: all scores at `levels` with `filters`, and at `ssim_levels` with the default options.
        images: number of images of each data set.
    """

    levels: Mapping[str, Options]
    own_levels: Mapping[str, Mapping[str, Options]]
    ssim_levels: Mapping[str, Options]
    filters: Mapping[str, Options]
    comparisons: Sequence[Comparison]
    images: Mapping[str, int]


def calibrate(
    scenes: Sequence[Scene], *, seed: int, noises: Iterable[str] = LEVELS, evaluations: int = 18, threads: int = 1
) -> Calibration:
    """Fit levels and filters so that the cheap baselines' wrapped PSNR and SSIM come closest to the published ones.

    The criterion is the mean absolute difference over data sets, baselines and both scores, each in units of its
    tolerance: a baseline whose unpublished options were quite different then pulls no level towards it. Levels are
    fitted with the filters' default options, the filters with these levels, and the levels again with these filters.

    Args:
        scenes: clean images of one or more data sets.
        seed: seed of the noises.
        noises: which noises to fit.
        evaluations: evaluations of the criterion for each option that is fitted.
        threads: processor cores; noises are spread over them.
    """
    present = [noise for noise in noises if any(_has_target(scene, noise) for scene in scenes)]
    with ThreadPoolExecutor(threads) as pool:

        def levels(
            on: Sequence[Scene], filters: Mapping[str, Options], metrics: tuple[str, ...], effort: int = evaluations
        ) -> dict[str, Options]:
            task = partial(fit_level, on, filters=filters, metrics=metrics, seed=seed, evaluations=max(1, effort))
            fitted = [noise for noise in present if any(_has_target(scene, noise) for scene in on)]
            return dict(zip(fitted, pool.map(task, fitted), strict=True))

        first = levels(scenes, {}, METRICS, evaluations // 2)
        filters = dict(zip(FILTERS, pool.map(partial(fit_filter, scenes, first, seed=seed), FILTERS), strict=True))
        final = levels(scenes, filters, METRICS)
        by_ssim = levels(scenes, {}, ("ssim",))
        own = {scene.dataset: levels([scene], filters, METRICS) if scenes[1:] else final for scene in scenes}
        fits = ("both", final, filters), ("ssim", by_ssim, {})
        tasks = [(scene, noise, *fit) for fit in fits for scene in scenes for noise in present if _has_target(scene, noise)]
        rows = pool.map(lambda task: _compare(*task, seed=seed), tasks)
        comparisons = [row for part in rows for row in part]
    return Calibration(final, own, by_ssim, filters, comparisons, {scene.dataset: len(scene.clean) for scene in scenes})


def fit_level(
    scenes: Sequence[Scene],
    noise: str,
    *,
    filters: Mapping[str, Options],
    metrics: tuple[str, ...],
    seed: int,
    evaluations: int,
) -> Options:
    """Options of a noise that minimise the mean distance from the published scores of the fast baselines."""
    from scipy.optimize import direct

    dimensions = LEVELS[noise]

    def options(point: np.ndarray) -> Options:
        values = {name: each.value(unit) for (name, each), unit in zip(dimensions.items(), point, strict=True)}
        return {**FIXED.get(noise, {}), **values}

    result = direct(
        lambda point: _distance(scenes, noise, options(point), filters, metrics, seed),
        [(0, 1)] * len(dimensions),
        maxfun=evaluations * len(dimensions),
        locally_biased=True,
        vol_tol=0,
    )
    return options(result.x)


def fit_filter(scenes: Sequence[Scene], levels: Mapping[str, Options], method: str, *, seed: int) -> Options:
    """The candidate options of a filter with the least mean distance from its published scores over all noises."""
    cases = [(scene, noise, scene.noisy(noise, options, seed)) for scene in scenes for noise, options in levels.items()]

    def distance(options: Options) -> float:
        parts = [
            scene.distance(noise, method, scene.scores(noisy, method, options), METRICS)
            for scene, noise, noisy in cases
            if scene.target(noise, method, "ssim") is not None
        ]
        return float(np.mean(np.concatenate(parts)))

    return min(candidates(method), key=distance)


def _distance(
    scenes: Sequence[Scene],
    noise: str,
    options: Options,
    filters: Mapping[str, Options],
    metrics: tuple[str, ...],
    seed: int,
) -> float:
    parts = []
    for scene in scenes:
        if _has_target(scene, noise):
            for method, scores in scene.baseline_scores(noise, options, filters, seed).items():
                parts += scene.distance(noise, method, scores, metrics)
    return float(np.mean(parts))


def _has_target(scene: Scene, noise: str) -> bool:
    return any(scene.target(noise, method, "ssim") is not None for method in FILTERS)


def _compare(
    scene: Scene, noise: str, fit: str, levels: Mapping[str, Options], filters: Mapping[str, Options], *, seed: int
) -> list[Comparison]:
    """Scores of all cheap baselines, and of the noisy images themselves, at the fitted level."""
    noisy = scene.noisy(noise, levels[noise], seed)
    rows = []
    for method in ("noisy", *FILTERS):
        scores = scene.scores(noisy, method, filters.get(method, {}), ("psnr", *METRICS))
        for metric, ours in scores.items():
            target = None if metric == "psnr" else scene.target(noise, method, metric)
            rows.append(Comparison(fit, scene.dataset, noise, method, metric, ours, target))
    return rows

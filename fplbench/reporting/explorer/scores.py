"""The scores in a page: the metrics, the mean of each method and noise, and the values of all images."""

import math
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fplbench.errors import InputError
from fplbench.reporting.labels import METRICS
from fplbench.reporting.scores import NoiseScores

FIRST = ("psnr", "ssim")
FURTHER_DIGITS = 2  # of the values of images, beyond those that tables print


def page_scores(
    scores: Mapping[str, NoiseScores], noises: Sequence[str], methods: Sequence[str], shown: Sequence[str], ids: Sequence[str]
) -> dict[str, Any]:
    """The scores of a data set, as the page reads them.

    Args:
        scores: by noise, with all images of each.
        noises: the noises of the page.
        methods: its methods, without the clean image.
        shown: metrics to show beside PSNR and SSIM, where images were scored by them.
        ids: the images of the test stack, in order.

    Returns:
        metrics, means, ids and values. A mean is over the images that all methods have a score of, as in the tables, and None
        where a method was not scored. Values lack the metrics that a method was not scored by.
    """
    found = {noise: scores[noise].values for noise in noises if noise in scores}
    scored = {metric for values in found.values() for metric in values}
    metrics = [metric for metric in dict.fromkeys((*FIRST, *shown)) if metric in scored]
    return {
        "metrics": [_described(metric) for metric in metrics],
        "means": {noise: _means(found.get(noise, {}), methods, metrics) for noise in noises},
        "ids": list(ids),
        "values": {noise: _values(found.get(noise, {}), methods, metrics) for noise in noises},
    }


def check_scores(
    path: str | os.PathLike[str],
    scores: Mapping[str, NoiseScores],
    noises: Sequence[str],
    columns: Sequence[str],
    ids: Sequence[str],
    partial: bool,
) -> None:
    """Raise InputError if the scores are those of other images than the stack's, or lack a noise or a column.

    Args:
        path: the file with the scores, for messages.
        scores: by noise.
        noises: the noises that must be there.
        columns: the methods that must be there.
        ids: the images of the test stack, in order.
        partial: whether noises and columns may be missing.
    """
    for noise in noises:
        found = scores.get(noise)
        if found and found.image_ids != tuple(ids):
            raise InputError(
                f"{path} has the scores of other images than the test stack on {noise!r}, or in another order: score its images "
                "again."
            )
        missing = [name for name in columns if not found or name not in found.values[FIRST[0]]]
        if missing and not partial:
            raise InputError(
                f"{path} has no scores of {missing[0]!r} on {noise!r}: score its images, or set tables.partial: true in the "
                "config."
            )


def _described(metric: str) -> dict[str, Any]:
    found = METRICS[metric]
    return {
        "name": metric, "label": found.label, "unit": found.unit, "digits": found.digits, "direction": found.direction or "",
    }  # fmt: skip


def _means(
    values: Mapping[str, Mapping[str, np.ndarray]], methods: Sequence[str], metrics: Sequence[str]
) -> dict[str, dict[str, float | None]]:
    """Means by method and metric."""
    found: dict[str, dict[str, float | None]] = {method: {} for method in methods}
    for metric in metrics:
        own = values.get(metric, {})
        kept = ~np.isnan(list(own.values())).any(axis=0) if own else np.zeros(0, bool)
        for method in methods:
            used = own[method][kept] if method in own else np.zeros(0)
            found[method][metric] = math.fsum(used) / used.size if used.size else None
    return found


def _values(
    values: Mapping[str, Mapping[str, np.ndarray]], methods: Sequence[str], metrics: Sequence[str]
) -> dict[str, dict[str, list[float | None]]]:
    """Values of all images by method and metric."""
    return {
        method: {metric: _rounded(metric, values[metric][method]) for metric in metrics if method in values.get(metric, {})}
        for method in methods
    }


def _rounded(metric: str, values: np.ndarray) -> list[float | None]:
    digits = METRICS[metric].digits + FURTHER_DIGITS
    return [None if math.isnan(value) else value for value in np.round(values, digits).tolist()]

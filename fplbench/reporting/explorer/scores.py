"""The scores in a page: the metrics, the mean of each method and noise, and the values of all images."""

import math
import os
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from fplbench.errors import InputError
from fplbench.files import read_csv
from fplbench.reporting.explorer.lesion_scores import Values
from fplbench.reporting.labels import METRICS
from fplbench.reporting.scores import NoiseScores

FIRST = ("psnr", "ssim")
FURTHER_DIGITS = 2  # of the values of images, beyond those that tables print

Means = Mapping[str, Mapping[str, float]]
"""Means of a metric by noise and method."""


def page_scores(
    scores: Mapping[str, NoiseScores],
    noises: Sequence[str],
    methods: Sequence[str],
    shown: Sequence[str],
    ids: Sequence[str],
    further: Mapping[str, Means] = MappingProxyType({}),
    lesions: Mapping[str, Values] = MappingProxyType({}),
) -> dict[str, Any]:
    """The scores of a data set, as the page reads them.

    Args:
        scores: by noise, with all images of each.
        noises: the noises of the page.
        methods: its methods, without the clean image.
        shown: metrics to show beside PSNR and SSIM, where images were scored by them.
        ids: the images of the test stack, in order.
        further: means of metrics that images are not scored by, such as those of lesions, by metric.
        lesions: by noise, scores of the annotated lesions in each image.

    Returns:
        metrics, means, ids and values. A mean is over the images that all methods have a score of, as in the tables, and None
        where a method was not scored. Values lack the metrics that a method was not scored by.
    """
    found = {noise: scores[noise].values for noise in noises if noise in scores}
    by_image = {noise: {**found.get(noise, {}), **lesions.get(noise, {})} for noise in noises}
    scored = {metric for values in found.values() for metric in values}
    means: dict[str, Means] = {}
    for metric in dict.fromkeys((*FIRST, *shown)):
        if metric in scored:
            means[metric] = {noise: _means(values.get(metric, {})) for noise, values in found.items()}
        elif metric in further:
            means[metric] = further[metric]
    return {
        "metrics": [_described(metric) for metric in means],
        "means": {
            noise: {method: {metric: own.get(noise, {}).get(method) for metric, own in means.items()} for method in methods}
            for noise in noises
        },
        "ids": list(ids),
        "values": {noise: _values(by_image[noise], methods, list(means)) for noise in noises},
    }


def read_means(path: str | os.PathLike[str], dataset: str) -> Mapping[str, Means]:
    """The means in the table of a data set, tables/{dataset}.csv, by metric, noise and method.

    Raises:
        InputError: the file is missing or not such a table, it is that of another data set, or a mean is not a number.
    """
    found: dict[str, dict[str, dict[str, float]]] = {}
    rows = read_csv(path, ("dataset", "metric", "noise", "method", "mean"))
    if all(row["dataset"] != dataset for row in rows):
        raise InputError(f"{path} has no means of the data set {dataset!r}: name its table, such as tables/{dataset}.csv.")
    for row in rows:
        if row["dataset"] != dataset or row["metric"] not in METRICS or not row["mean"]:
            continue
        try:
            mean = float(row["mean"])
        except ValueError:
            mean = math.nan
        if not math.isfinite(mean):
            where = f"{row['metric']} of {row['method']!r} on {row['noise']!r}"
            raise InputError(f"{path}: the mean {where} is {row['mean']!r}, which is not a number: write the table again.")
        found.setdefault(row["metric"], {}).setdefault(row["noise"], {})[row["method"]] = mean
    return found


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


def _means(values: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Means by method, over the images that all methods have a score of."""
    kept = ~np.isnan([*values.values()]).any(axis=0)
    return {method: math.fsum(own[kept]) / int(kept.sum()) for method, own in values.items() if kept.any()}


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

"""The scores of the annotated lesions in each test image."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from fplbench.errors import InputError
from fplbench.files import read_csv
from fplbench.reporting.lesion_scores import METRICS
from fplbench.reporting.repeats import merged
from fplbench.reporting.scores import CEILING, NoiseScores

Values = Mapping[str, Mapping[str, np.ndarray]]
"""Scores of the test images, float64 (N,), by metric and column; NaN for an image without any."""


def lesion_values(folder: str | os.PathLike[str], noises: Iterable[str], ids: Sequence[str]) -> dict[str, Values]:
    """Scores of the annotated lesions by image: the mean over the lesions of an image, and over the trainings of a column.

    Args:
        folder: has {noise}.csv, which `read_lesion_scores` can read. Noises without a file are left out.
        noises: the noises.
        ids: the test images, in order.

    Raises:
        InputError: a file is malformed, or has lesions in other images.
    """
    places = {name: place for place, name in enumerate(ids)}
    return {noise: _of_noise(path, places) for noise in noises if (path := Path(folder, f"{noise}.csv")).exists()}


def _of_noise(path: Path, places: Mapping[str, int]) -> Values:
    found: dict[str, dict[str, dict[int, list[float]]]] = {}
    for row in read_csv(path, ("method", "image_id", "inserted", *METRICS)):
        if row["inserted"] != "0":
            continue
        if row["image_id"] not in places:
            raise InputError(f"{path} has lesions in {row['image_id']!r}, which is no test image: score the lesions again.")
        for column, metric in METRICS.items():
            by_place = found.setdefault(metric, {}).setdefault(row["method"], {})
            if row[column]:
                score = min(float(row[column]), CEILING) if column == "psnr" else float(row[column])
                by_place.setdefault(places[row["image_id"]], []).append(score)
    values = {metric: {method: _means(own, len(places)) for method, own in methods.items()} for metric, methods in found.items()}
    names = tuple(places)
    return merged(NoiseScores(names, names, values)).values


def _means(scores: Mapping[int, Sequence[float]], count: int) -> np.ndarray:
    values = np.full(count, np.nan)
    for place, own in scores.items():
        values[place] = np.mean(own)
    return values

"""Read the long table of scores as arrays."""

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from fplbench.errors import InputError
from fplbench.files import read_csv
from fplbench.scoring.collation import KEYS
from fplbench.scoring.registry import ALWAYS, SCORES

CEILING = 100.0


@dataclass(frozen=True)
class NoiseScores:
    """Scores of every method on the same noisy images.

    Attributes:
        image_ids: N identifiers.
        patients: N patient identifiers, in the order of `image_ids`.
        values: float64 (N,) by metric and method, in that order. The infinite PSNR of equal images is replaced by `CEILING`
            dB, so that means are finite. Two different images reach less, up to a size of 390x390 pixels. NaN where a metric
            is not defined for an image; psnr, psnr_uint8, ssim and feature_error always are.
        repeats: float64 (S, N) by metric and method, of those methods whose `values` are the mean of S > 1 trainings.
    """

    image_ids: tuple[str, ...]
    patients: tuple[str, ...]
    values: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)
    repeats: Mapping[str, Mapping[str, np.ndarray]] = field(default_factory=dict)

    def trained(self, metric: str, method: str) -> np.ndarray:
        """Scores of the trainings of a method, float64 (S, N); of a method without repeats, (1, N)."""
        return self.repeats.get(metric, {}).get(method, self.values[metric][method][None])


Scores = Mapping[str, Mapping[str, NoiseScores]]
"""Scores by data set and noise."""


def read_scores(path: str | os.PathLike[str]) -> dict[str, dict[str, NoiseScores]]:
    """Read the long table.

    Returns:
        Scores by data set and noise, in the order of the file, of all metrics that the file has a column of.

    Raises:
        InputError: the file or a required column is missing, a value is not a number, or methods were scored on different
            images of the same noise.
    """
    rows: dict[str, dict[str, dict[str, list[dict[str, str]]]]] = {}
    for row in read_csv(path, (*KEYS, *ALWAYS)):
        noises = rows.setdefault(row["dataset"], {})
        noises.setdefault(row["noise"], {}).setdefault(row["method"], []).append(row)
    return {
        dataset: {noise: _noise_scores(path, noise, methods) for noise, methods in noises.items()}
        for dataset, noises in rows.items()
    }


def read_cell(path: str | os.PathLike[str], noise: str) -> NoiseScores:
    """Read the scores of one data set and noise, as `fplbench score` writes them.

    Raises:
        InputError: as for `read_scores`.
    """
    methods: dict[str, list[dict[str, str]]] = {}
    for row in read_csv(path, (*KEYS[2:], *ALWAYS)):
        methods.setdefault(row["method"], []).append({"noise": noise, **row})
    if not methods:
        raise InputError(f"{path} has no scores; score the images again.")
    return _noise_scores(path, noise, methods)


def _noise_scores(path: str | os.PathLike[str], noise: str, methods: dict[str, list[dict[str, str]]]) -> NoiseScores:
    first = next(iter(methods))
    images = [(row["image_id"], row["patient"]) for row in methods[first]]
    values: dict[str, dict[str, np.ndarray]] = {}
    for method, rows in methods.items():
        if [(row["image_id"], row["patient"]) for row in rows] != images:
            raise InputError(f"{path}: {method!r} and {first!r} were scored on different images of noise {noise!r}.")
        for metric in _metrics(rows):
            values.setdefault(metric, {})[method] = _numbers(path, metric, rows)
    return NoiseScores(tuple(name for name, _ in images), tuple(patient for _, patient in images), values)


def _metrics(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """The required metrics, and those of the other columns that have a value for any image."""
    others = [column for column in rows[0] if column in SCORES and column not in ALWAYS]
    return [*ALWAYS, *(column for column in others if any(row[column] for row in rows))]


def _numbers(path: str | os.PathLike[str], metric: str, rows: Sequence[Mapping[str, str]]) -> np.ndarray:
    numbers = np.array([_number(row[metric]) for row in rows])
    # Only metrics of the image itself, such as the scores inside the body, can be undefined for an image.
    blank = metric not in ALWAYS and SCORES[metric].function is not None
    faults = [row for row, number in zip(rows, numbers, strict=True) if np.isnan(number) and not (blank and row[metric] == "")]
    if faults:
        row = faults[0]
        where = f"{metric} of {row['method']!r} on {row['noise']!r}, image {row['image_id']!r}"
        raise InputError(f"{path}: {where}, is {row[metric]!r}, which is not a number.")
    return np.minimum(numbers, CEILING) if SCORES[metric].unit == "dB" else numbers


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan

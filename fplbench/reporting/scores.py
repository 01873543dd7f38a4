"""Read the long table of scores as arrays."""

import math
import os
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from operator import itemgetter

import numpy as np

from fplbench.errors import InputError
from fplbench.files import iterate_csv
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
    found: dict[str, dict[str, _Noise]] = {}
    rows = iterate_csv(path, (*KEYS, *ALWAYS))
    header = next(rows)
    metrics = _metrics(header)
    dataset, noise, *own = (header.index(key) for key in KEYS)
    add = _adder(header, metrics, own)
    for row in rows:
        noises = found.setdefault(row[dataset], {})
        add(noises.setdefault(row[noise], _Noise()), row)
    return {
        dataset: {noise: _noise_scores(path, noise, metrics, scores) for noise, scores in noises.items()}
        for dataset, noises in found.items()
    }


def read_cell(path: str | os.PathLike[str], noise: str) -> NoiseScores:
    """Read the scores of one data set and noise, as `fplbench score` writes them.

    Raises:
        InputError: as for `read_scores`.
    """
    rows = iterate_csv(path, (*KEYS[2:], *ALWAYS))
    header = next(rows)
    metrics = _metrics(header)
    add, found = _adder(header, metrics, [header.index(key) for key in KEYS[2:]]), _Noise()
    for row in rows:
        add(found, row)
    if not found.methods:
        raise InputError(f"{path} has no scores; score the images again.")
    return _noise_scores(path, noise, metrics, found)


@dataclass
class _Method:
    """Scores of one method as they are read: the numbers of its images, and all metrics of the first image, of the second, ..."""

    images: array = field(default_factory=lambda: array("q"))
    numbers: array = field(default_factory=lambda: array("d"))
    faults: dict[int, str] = field(default_factory=dict)
    """What stands where there is no number, by the place in `numbers`."""


@dataclass
class _Noise:
    """Scores of one noise as they are read: numbers of images by image and patient, and the methods."""

    images: dict[tuple[str, str], int] = field(default_factory=dict)
    methods: dict[str, _Method] = field(default_factory=dict)


def _metrics(header: Sequence[str]) -> list[str]:
    """The required metrics, then those of the other columns."""
    return [*ALWAYS, *(column for column in header if column in SCORES and column not in ALWAYS)]


def _adder(header: Sequence[str], metrics: Sequence[str], keys: Sequence[int]) -> Callable[[_Noise, Sequence[str]], None]:
    """Function that adds a row to the scores of its noise; `keys` are the places of method, image_id and patient."""
    texts = itemgetter(*(header.index(metric) for metric in metrics))
    name, image, patient = keys

    def add(noise: _Noise, row: Sequence[str]) -> None:
        method = noise.methods.get(row[name])
        if method is None:
            method = noise.methods[row[name]] = _Method()
        method.images.append(noise.images.setdefault((row[image], row[patient]), len(noise.images)))
        found = texts(row)
        try:
            numbers = [*map(float, found)]
        except ValueError:
            numbers = [*map(_number, found)]
        if any(map(math.isnan, numbers)):
            start = len(method.numbers)
            method.faults |= {start + i: found[i] for i, number in enumerate(numbers) if math.isnan(number)}
        method.numbers.extend(numbers)

    return add


def _noise_scores(path: str | os.PathLike[str], noise: str, metrics: Sequence[str], found: _Noise) -> NoiseScores:
    images, (first, reference) = [*found.images], next(iter(found.methods.items()))
    values: dict[str, dict[str, np.ndarray]] = {}
    for method, scores in found.methods.items():
        if scores.images != reference.images:
            words = _first_difference(images, scores.images, reference.images)
            raise InputError(f"{path}: {method!r} and {first!r} were scored on different images of noise {noise!r}: {words}.")
        table = np.frombuffer(scores.numbers).reshape(-1, len(metrics))
        for place, metric in enumerate(metrics):
            column = table[:, place].copy()
            faults = {row: scores.faults[row * len(metrics) + place] for row in np.flatnonzero(np.isnan(column)).tolist()}
            # A metric that is blank throughout was not scored.
            if metric not in ALWAYS and len(faults) == len(column) and not any(faults.values()):
                continue
            # Only metrics of the image itself, such as the scores inside the body, can be undefined for an image.
            blank = metric not in ALWAYS and SCORES[metric].function is not None
            for row, text in faults.items():
                if text or not blank:
                    where = f"{metric} of {method!r} on {noise!r}, image {images[scores.images[row]][0]!r}"
                    raise InputError(f"{path}: {where}, is {text!r}, which is not a number.")
            values.setdefault(metric, {})[method] = np.minimum(column, CEILING) if SCORES[metric].unit == "dB" else column
    order = [images[number] for number in reference.images]
    return NoiseScores(tuple(name for name, _ in order), tuple(patient for _, patient in order), values)


def _first_difference(images: Sequence[tuple[str, str]], one: Sequence[int], other: Sequence[int]) -> str:
    """The first place in which two methods have other images, and the image and patient that each has there."""
    place, pair = next((i, pair) for i, pair in enumerate(zip_longest(one, other), start=1) if pair[0] != pair[1])
    names = ("none" if number is None else "{!r} of patient {!r}".format(*images[number]) for number in pair)
    return f"image {place} is {' and '.join(names)}"


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan

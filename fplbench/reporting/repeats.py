"""Repeats: a learned method that was trained with several seeds is one column of the tables."""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from fplbench.errors import InputError, nearest
from fplbench.reporting.scores import NoiseScores, read_scores

REPEAT = re.compile(r"(\w+)-(\d+)")


def column_of(method: str) -> str:
    """The column that a method belongs to: fpl for fpl, fpl-2 and fpl-3. Names of columns have no hyphen."""
    found = REPEAT.fullmatch(method)
    return found[1] if found else method


def repeats_of(methods: Iterable[str]) -> dict[str, list[str]]:
    """The methods of each column, in the order of their seeds; the first has the name of the column.

    Raises:
        InputError: a column has a second training and no first.
    """
    names = list(methods)
    found: dict[str, list[str]] = {name: [] for name in map(column_of, names)}
    for name in sorted(names, key=_number):
        found[column_of(name)].append(name)
    for column, own in found.items():
        if own[0] != column:
            raise InputError(f"There are scores of {own[0]!r}, a repeat, and none of {column!r}, the first training.")
    return found


def merged(scores: NoiseScores) -> NoiseScores:
    """Scores by column: the mean over the trainings of each, and those of single trainings in `repeats`.

    Raises:
        InputError: columns with several trainings have different numbers of them, so that they cannot be paired.
    """
    values: dict[str, dict[str, np.ndarray]] = {}
    single: dict[str, dict[str, np.ndarray]] = {}
    for metric, found in scores.values.items():
        groups = repeats_of(found)
        values[metric] = {column: np.mean([found[name] for name in own], axis=0) for column, own in groups.items()}
        trained = {column: np.stack([found[name] for name in own]) for column, own in groups.items() if len(own) > 1}
        _check_numbers(trained)
        if trained:
            single[metric] = trained
    return replace(scores, values=values, repeats=single) if single else scores


def read_columns(path: str | os.PathLike[str]) -> dict[str, dict[str, NoiseScores]]:
    """Read the long table of a run by column, with the repeats of each merged.

    Returns:
        Scores by data set and noise, in the order of the file.

    Raises:
        InputError: as for `read_scores` and `merged`.
    """
    return {dataset: {noise: merged(found) for noise, found in noises.items()} for dataset, noises in read_scores(path).items()}


def read_dataset(path: str | os.PathLike[str], dataset: str) -> dict[str, NoiseScores]:
    """Read the scores of one data set from the long table of a run, by noise and column.

    Raises:
        InputError: as for `read_columns`, or the data set is missing.
    """
    scores = read_columns(path)
    if dataset not in scores:
        raise InputError(f"{path} has no scores of the data set {dataset!r}: {nearest(dataset, scores)}")
    return scores[dataset]


def _check_numbers(trained: Mapping[str, np.ndarray]) -> None:
    numbers = {len(values): column for column, values in trained.items()}
    if len(numbers) > 1:
        (one, first), (other, second) = list(numbers.items())[:2]
        raise InputError(
            f"{first!r} has scores of {one} trainings and {second!r} of {other}: train both equally often, and score again."
        )


def _number(method: str) -> int:
    found = REPEAT.fullmatch(method)
    return int(found[2]) if found else 1

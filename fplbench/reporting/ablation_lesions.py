"""Scores of lesions of trainings with several seeds, none of which is merged with others."""

import os
from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

import numpy as np

from fplbench.errors import InputError
from fplbench.files import read_csv
from fplbench.reporting.lesion_scores import INSERTED, KEYS, METRICS
from fplbench.reporting.scores import CEILING

USED = {column: METRICS[column] for column in ("psnr", "contrast_recovery", "recovery_error")}
"""The metrics of the ablation by the column that holds them."""
Row = Mapping[str, str]
Key = TypeVar("Key", bound=Hashable)


def read_lesion_rows(path: str | os.PathLike[str]) -> dict[str, list[dict[str, str]]]:
    """Rows of the scores of lesions by method, as `fplbench score` writes them.

    Raises:
        InputError: the file is malformed, or methods were scored on different lesions.
    """
    methods: dict[str, list[dict[str, str]]] = {}
    for row in read_csv(path, ("method", *KEYS, *USED)):
        methods.setdefault(row["method"], []).append(row)
    marks = [[tuple(row[key] for key in KEYS) for row in rows] for rows in methods.values()]
    for method, own in zip(methods, marks, strict=True):
        if own != marks[0]:
            raise InputError(
                f"{path}: {method!r} and {next(iter(methods))!r} were scored on different lesions; score them again."
            )
    return methods


def lesion_means(path: str | os.PathLike[str], methods: Mapping[str, Sequence[Row]]) -> dict[str, dict[str, float]]:
    """Means of the scores of lesions by metric and method: over the images of a lesion, its patient's lesions, then patients.

    Images in which a lesion has no score are left out, the same ones for all methods, and so are metrics without any score.

    Args:
        path: the file that the rows are of, for messages.
        methods: rows by method.
    """
    found: dict[str, dict[str, float]] = {}
    if not any(methods.values()):
        return found
    for column, metric in USED.items():
        values = np.array([[_number(path, column, row) for row in rows] for rows in methods.values()])
        scored = ~np.isnan(values).any(axis=0)
        if not scored.any():
            continue
        rows = [row for row, kept in zip(next(iter(methods.values())), scored, strict=True) if kept]
        lesions, means = _means([(row["patient"], row["lesion_id"]) for row in rows], values[:, scored])
        _, means = _means([patient for patient, _ in lesions], means)
        found[metric] = dict(zip(methods, means.mean(axis=1).tolist(), strict=True))
    return found


def means_by_kind(path: str | os.PathLike[str]) -> dict[str, dict[str, float]]:
    """`lesion_means` of annotated lesions and, with names that begin with "inserted_", of inserted ones."""
    methods = read_lesion_rows(path)
    found: dict[str, dict[str, float]] = {}
    for inserted, prefix in (("0", ""), ("1", INSERTED)):
        chosen = {method: [row for row in rows if row["inserted"] == inserted] for method, rows in methods.items()}
        found |= {f"{prefix}{metric}": means for metric, means in lesion_means(path, chosen).items()}
    return found


def _means(keys: Sequence[Key], values: np.ndarray) -> tuple[list[Key], np.ndarray]:
    """Means of values (M, N) over the columns with the same key: the keys, in order, and float64 (M, K)."""
    columns: dict[Key, list[int]] = {}
    for i, key in enumerate(keys):
        columns.setdefault(key, []).append(i)
    return list(columns), np.stack([values[:, column].mean(axis=1) for column in columns.values()], axis=1)


def _number(path: str | os.PathLike[str], column: str, row: Row) -> float:
    """A score; nan where there is none, and at most `CEILING` dB."""
    try:
        number = float(row[column] or "nan")
    except ValueError:
        where = f"{column} of {row['method']!r}, lesion {row['lesion_id']!r} in image {row['image_id']!r}"
        raise InputError(f"{path}: {where}, is {row[column]!r}, which is not a number.") from None
    return min(number, CEILING) if column == "psnr" else number

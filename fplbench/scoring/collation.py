"""The long table of scores, one row for each image, noise and method. All tables and figures derive from it."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from fplbench.errors import InputError
from fplbench.files import read_csv, write_csv
from fplbench.scoring.registry import ALWAYS, image_metrics, in_order

KEYS = ("dataset", "noise", "method", "image_id", "patient")
FEATURE_ERROR = "feature_error"

Row = dict[str, str]


def collate(
    output: str | os.PathLike[str],
    paths: Iterable[str | os.PathLike[str]],
    feature_paths: Iterable[str | os.PathLike[str]] = (),
) -> None:
    """Join scores into one long table.

    Args:
        output: the .csv file to write, with the columns dataset, noise, method, image_id, patient, psnr, psnr_uint8 and ssim,
            and a column for each other metric of images, feature_error among them, that any image has a score of.
        paths: files of scores, each either of one data set and noise, named .../{dataset}/{noise}.csv, or a long table, which
            has the columns dataset and noise.
        feature_paths: feature scores of one data set and noise, named .../{dataset}/{noise}.csv, with the columns method,
            image_id and feature_error.

    Raises:
        InputError: a file or a column is missing, two files score the same method on the same data set and noise, or there
            are no scores.
    """
    errors = _feature_errors(map(Path, feature_paths))
    rows: list[Row] = []
    seen: dict[tuple[str, ...], Path] = {}
    for file in map(Path, paths):
        for row in _long_rows(file, errors):
            place = tuple(row[key] for key in KEYS[:3])
            if seen.setdefault(place, file) != file:
                raise InputError(f"{seen[place]} and {file} both have scores of {'/'.join(place)}; give only one of them.")
            rows.append(row)
    if not rows:
        raise InputError(f"There are no scores to collate into {output}.")
    metrics = in_order((*image_metrics(), FEATURE_ERROR))
    columns = [*KEYS, *(name for name in metrics if name in ALWAYS or any(row.get(name) for row in rows))]
    write_csv(output, ({column: row.get(column, "") for column in columns} for row in rows), columns)


def _long_rows(file: Path, errors: dict[tuple[str, ...], str]) -> Iterator[Row]:
    """Rows of a file with all keys. A file that does not name its data set and noise takes them from its path."""
    for row in read_csv(file, (*KEYS[2:], *ALWAYS)):
        row = {"dataset": file.parent.name, "noise": file.stem, **row}
        error = errors.get((row["dataset"], row["noise"], row["method"], row["image_id"]))
        yield row if error is None else {**row, FEATURE_ERROR: error}


def _feature_errors(files: Iterable[Path]) -> dict[tuple[str, ...], str]:
    """Feature errors by data set, noise, method and image."""
    return {
        (file.parent.name, file.stem, row["method"], row["image_id"]): row[FEATURE_ERROR]
        for file in files
        for row in read_csv(file, ("method", "image_id", FEATURE_ERROR))
    }

"""The long table of scores: one row for each image, noise and method. Every table and figure derives from it."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from fplbench.errors import InputError
from fplbench.files import read_csv, write_csv
from fplbench.scoring.metrics import METRICS

KEYS = ("dataset", "noise", "method", "image_id", "patient")
FEATURE_ERROR = "feature_error"

Row = dict[str, str]


def collate(
    output: str | os.PathLike, paths: Iterable[str | os.PathLike], feature_paths: Iterable[str | os.PathLike] = ()
) -> None:
    """Put scores into one long table.

    Args:
        output: the .csv file to write, with columns dataset, noise, method, image_id, patient, psnr, psnr_uint8, ssim,
            and feature_error where any image has one.
        paths: scores of cells, files named .../{dataset}/{noise}.csv, or long tables, which have a column dataset.
        feature_paths: feature scores of cells, files named .../{dataset}/{noise}.csv, with columns method, image_id and
            feature_error.

    Raises:
        InputError: a file or a column is missing, a cell and method is there twice, or there are no files.
    """
    errors = _feature_errors(map(Path, feature_paths))
    rows: list[Row] = []
    seen: dict[tuple[str, ...], Path] = {}
    for file in map(Path, paths):
        for row in _long_rows(file, errors):
            place = tuple(row[key] for key in KEYS[:3])
            if seen.setdefault(place, file) != file:
                raise InputError(f"{seen[place]} and {file} both have scores of {'/'.join(place)}: give one of them.")
            rows.append(row)
    if not rows:
        raise InputError(f"There are no scores to collate into {output}.")
    explained = any(row.get(FEATURE_ERROR) for row in rows)
    columns = [*KEYS, *METRICS, *([FEATURE_ERROR] if explained else [])]
    write_csv(output, ({column: row.get(column, "") for column in columns} for row in rows), columns)


def _long_rows(file: Path, errors: dict[tuple[str, ...], str]) -> Iterator[Row]:
    """The rows of a file with all the keys: a long table has them, and those of a cell are in its path."""
    for row in read_csv(file, (*KEYS[2:], *METRICS)):
        row = {"dataset": file.parent.name, "noise": file.stem, **row}
        error = errors.get((row["dataset"], row["noise"], row["method"], row["image_id"]))
        yield row if error is None else {**row, FEATURE_ERROR: error}


def _feature_errors(files: Iterable[Path]) -> dict[tuple[str, ...], str]:
    return {
        (file.parent.name, file.stem, row["method"], row["image_id"]): row[FEATURE_ERROR]
        for file in files
        for row in read_csv(file, ("method", "image_id", FEATURE_ERROR))
    }

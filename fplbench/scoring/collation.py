"""The long table of scores, one row for each image, noise and method. All tables and figures derive from it."""

import csv
import os
from collections.abc import Iterable, Iterator, Mapping
from operator import itemgetter
from pathlib import Path

from fplbench.errors import InputError
from fplbench.files import iterate_csv, read_csv, replacing
from fplbench.scoring.registry import ALWAYS, image_metrics, in_order

KEYS = ("dataset", "noise", "method", "image_id", "patient")
FEATURE_ERROR = "feature_error"
FEATURE_COLUMNS = ("method", "image_id", FEATURE_ERROR)

Features = Mapping[tuple[str, str], Path]
"""Files of feature scores by data set and noise."""


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
    features = _by_cell(feature_paths)
    files = [Path(path) for path in paths]
    scored = _scored_metrics(files, features)
    if scored is None:
        raise InputError(f"There are no scores to collate into {output}.")
    metrics = [name for name in in_order((*image_metrics(), FEATURE_ERROR)) if name in (*ALWAYS, *scored)]
    with replacing(output) as temporary, open(temporary, "w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([*KEYS, *metrics])
        for file in files:
            rows = _long_rows(file, features)
            header = next(rows)
            places = [header.index(name) if name in header else -1 for name in (*KEYS, *metrics)]
            writer.writerows(map(itemgetter(*places), rows))


def _scored_metrics(files: Iterable[Path], features: Features) -> set[str] | None:
    """The metrics that any image has a score of; None without any rows.

    Raises:
        InputError: two files score the same method on the same data set and noise.
    """
    seen: dict[tuple[str, ...], Path] = {}
    scored: set[str] = set()
    for file in files:
        rows = _long_rows(file, features)
        header = next(rows)
        cell_of = itemgetter(*(header.index(key) for key in KEYS[:3]))
        waiting = {place for place, name in enumerate(header) if name not in scored}
        for row in rows:
            cell = cell_of(row)
            if seen.setdefault(cell, file) != file:
                raise InputError(f"{seen[cell]} and {file} both have scores of {'/'.join(cell)}; give only one of them.")
            if found := [place for place in waiting if row[place]]:
                scored.update(header[place] for place in found)
                waiting.difference_update(found)
    return scored if seen else None


def _long_rows(file: Path, features: Features) -> Iterator[list[str]]:
    """The header and the rows of a file with all keys and a feature error, read one by one; the last value of a row is blank.

    A file that does not name its data set and noise takes them from its path.
    """
    rows = iterate_csv(file, (*KEYS[2:], *ALWAYS))
    own = next(rows)
    given = {name: value for name, value in zip(KEYS, (file.parent.name, file.stem), strict=False) if name not in own}
    header = [*given, *own, *([] if FEATURE_ERROR in own else [FEATURE_ERROR]), ""]
    yield header
    before, after = [*given.values()], [""] * (len(header) - len(own) - len(given))
    dataset, noise, method, image, error = (header.index(name) for name in (*KEYS[:4], FEATURE_ERROR))
    known: tuple[str, str] | None = None
    errors: dict[tuple[str, str], str] = {}
    for values in rows:
        row = [*before, *values, *after]
        if (cell := (row[dataset], row[noise])) != known:
            known, errors = cell, _feature_errors(features.get(cell))
        if errors:
            row[error] = errors.get((row[method], row[image]), row[error])
        yield row


def _by_cell(paths: Iterable[str | os.PathLike[str]]) -> Features:
    """Files of feature scores by data set and noise."""
    found = {(file.parent.name, file.stem): file for file in map(Path, paths)}
    for file in found.values():
        next(iterate_csv(file, FEATURE_COLUMNS))  # raises if a column is missing
    return found


def _feature_errors(file: Path | None) -> dict[tuple[str, str], str]:
    """Feature errors by method and image."""
    rows = read_csv(file, FEATURE_COLUMNS) if file is not None else ()
    return {(row["method"], row["image_id"]): row[FEATURE_ERROR] for row in rows}

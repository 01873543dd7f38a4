"""The long table of scores: one row for each image, noise and method. Every table and figure starts from it."""

import csv
import math
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from fplbench.errors import InputError, nearest
from fplbench.scoring import METRICS
from fplbench.stacks import write_csv

KEYS = ("dataset", "noise", "method", "image_id", "patient")
FEATURE_ERROR = "feature_error"
CEILING = 100.0


@dataclass(frozen=True)
class NoiseScores:
    """Scores of every method on the same noisy images.

    Attributes:
        image_ids: N identifiers.
        patients: N patient identifiers, in the order of `image_ids`.
        values: float64 (N,) by metric and method, in that order. Infinite PSNR, of equal images, stands as `CEILING`
            dB: above what any two different images of up to 390x390 pixels can reach, and finite, so that means exist.
    """

    image_ids: tuple[str, ...]
    patients: tuple[str, ...]
    values: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)


def collate(
    output: str | os.PathLike, paths: Iterable[str | os.PathLike], feature_paths: Iterable[str | os.PathLike] = ()
) -> None:
    """Put score files into one long table.

    Args:
        output: the .csv file to write, with columns dataset, noise, method, image_id, patient, psnr, psnr_uint8, ssim,
            and feature_error when `feature_paths` are given.
        paths: score files named .../{dataset}/{noise}/{method}.csv; a folder stands for all such files below it.
        feature_paths: feature error files named .../{dataset}/{noise}.csv, with columns method, image_id,
            feature_error; a folder stands for all such files below it.

    Raises:
        InputError: a file or a column is missing, two files are of the same method, or there are no files.
    """
    files = _files(paths, "*/*/*.csv")
    errors = _feature_errors(_files(feature_paths, "*/*.csv"))
    rows = []
    seen: dict[tuple[str, ...], Path] = {}
    for file in files:
        names = (*file.parts[-3:-1], file.stem)
        if len(names) != 3:
            raise InputError(f"{file} is no path of the form dataset/noise/method.csv.")
        if names in seen:
            raise InputError(f"{seen[names]} and {file} are both scores of {'/'.join(names)}: give one of them.")
        seen[names] = file
        for row in _read(file, ("image_id", "patient", *METRICS)):
            long = dict(zip(KEYS, (*names, row["image_id"], row["patient"]), strict=True))
            long.update({metric: row[metric] for metric in METRICS})
            if errors:
                long[FEATURE_ERROR] = errors.get((*names, row["image_id"]), "")
            rows.append(long)
    if not rows:
        raise InputError(f"There are no score files to collate into {output}.")
    write_csv(output, rows)


def read_scores(path: str | os.PathLike) -> dict[str, dict[str, NoiseScores]]:
    """Read the long table.

    Returns:
        Scores by data set and noise, in the order of the file.

    Raises:
        InputError: the file or a column is missing, a value is no number, or methods were scored on different images of
            one noise.
    """
    rows: dict[str, dict[str, dict[str, list[dict[str, str]]]]] = {}
    for row in _read(Path(path), (*KEYS, *METRICS)):
        noises = rows.setdefault(row["dataset"], {})
        noises.setdefault(row["noise"], {}).setdefault(row["method"], []).append(row)
    return {
        dataset: {noise: _noise_scores(path, noise, methods) for noise, methods in noises.items()}
        for dataset, noises in rows.items()
    }


def read_dataset(path: str | os.PathLike, dataset: str) -> dict[str, NoiseScores]:
    """Read one data set's part of the long table: scores by noise.

    Raises:
        InputError: as `read_scores`, and where the data set is missing.
    """
    scores = read_scores(path)
    if dataset not in scores:
        raise InputError(f"{path} has no scores of the data set {dataset!r}: {nearest(dataset, scores)}")
    return scores[dataset]


def _noise_scores(path: str | os.PathLike, noise: str, methods: dict[str, list[dict[str, str]]]) -> NoiseScores:
    first = next(iter(methods))
    images = [(row["image_id"], row["patient"]) for row in methods[first]]
    values: dict[str, dict[str, np.ndarray]] = {}
    for method, rows in methods.items():
        if [(row["image_id"], row["patient"]) for row in rows] != images:
            raise InputError(f"{path}: {method!r} and {first!r} were scored on different images of noise {noise!r}.")
        explained = [FEATURE_ERROR] if any(row.get(FEATURE_ERROR) for row in rows) else []
        for metric in [*METRICS, *explained]:
            values.setdefault(metric, {})[method] = _numbers(path, metric, rows)
    return NoiseScores(*zip(*images, strict=True), values)


def _numbers(path: str | os.PathLike, metric: str, rows: list[dict[str, str]]) -> np.ndarray:
    numbers = np.array([_number(row[metric]) for row in rows])
    if np.isnan(numbers).any():
        row = rows[int(np.isnan(numbers).argmax())]
        where = f"{metric} of {row['method']!r} on {row['noise']!r}, image {row['image_id']!r}"
        raise InputError(f"{path}: {where}, is {row[metric]!r}, which is no number.")
    return np.minimum(numbers, CEILING) if metric.startswith("psnr") else numbers


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _feature_errors(files: list[Path]) -> dict[tuple[str, str, str, str], str]:
    return {
        (file.parts[-2], file.stem, row["method"], row["image_id"]): row[FEATURE_ERROR]
        for file in files
        for row in _read(file, ("method", "image_id", FEATURE_ERROR))
    }


def _files(paths: Iterable[str | os.PathLike], pattern: str) -> list[Path]:
    files: list[Path] = []
    for path in map(Path, paths):
        files += sorted(path.glob(pattern)) if path.is_dir() else [path]
    return files


def _read(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    try:
        with open(path, newline="", encoding="utf-8") as stream:
            reader = csv.DictReader(stream)
            rows = list(reader)
    except FileNotFoundError:
        raise InputError(f"{path} does not exist.") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} is no .csv table: {error}.") from None
    missing = [column for column in columns if column not in (reader.fieldnames or [])]
    if missing:
        raise InputError(f"{path} has no column {missing[0]!r}.")
    for line, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise InputError(f"{path}, line {line}, has not the {len(reader.fieldnames)} values of the head.")
    return rows

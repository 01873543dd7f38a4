"""Read the scores of lesions, averaged over the images of a lesion, then over the lesions of a patient."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np

from fplbench.errors import InputError
from fplbench.files import read_csv
from fplbench.reporting.repeats import merged
from fplbench.reporting.scores import CEILING, NoiseScores
from fplbench.scoring.lesions import FEWEST_PIXELS

METRICS = {
    "psnr": "lesion_psnr",
    "ssim": "lesion_ssim",
    "rmse": "lesion_rmse",
    "contrast_recovery": "contrast_recovery",
    "recovery_error": "recovery_error",
    "cnr": "cnr",
    "bias": "bias",
}
"""Metrics by the column that holds them."""
INSERTED = "inserted_"
"""What the names of metrics start with in a table where they were measured on inserted lesions."""
KEYS = ("image_id", "lesion", "lesion_id", "patient", "kind", "shape", "inserted", "pixels")
RECOVERY = "a lesion's contrast to the pixels around it, divided by that in the clean image"
"""What contrast recovery is, for legends."""

Row = Mapping[str, str]
Unit = Literal["patient", "lesion"]
Key = TypeVar("Key")


@dataclass(frozen=True)
class LesionScores:
    """Scores of lesions on one noise.

    Attributes:
        unit: what a value belongs to: patients, or single lesions if all are of one patient.
        lesions: number of lesions, those without any score included.
        images: number of images that show one.
        patients: number of patients who have one.
        unscored: number of lesions in an image whose contrast is not scored: their mask is too small, or their contrast in the
            clean image is lost in the texture around them.
        too_small: how many of these have a mask that is too small for any score.
        boxes: whether the lesions are marked by bounding boxes.
        scored: number of lesions whose contrast is scored in any image.
        blocks: scores by metric and column, with one value a unit, whose names are both the `image_ids` and the `patients`. Units
            without a value are left out, the same ones for all methods; metrics without any value are missing.
        places: image_id and patient of the images that show a lesion.
    """

    unit: Unit
    lesions: int
    images: int
    patients: int
    unscored: int
    too_small: int = 0
    boxes: bool = False
    scored: int = 0
    blocks: Mapping[str, NoiseScores] = field(default_factory=dict)
    places: frozenset[tuple[str, str]] = frozenset()


def read_lesion_scores(folder: str | os.PathLike[str], noises: Iterable[str], inserted: bool = False) -> dict[str, LesionScores]:
    """Read the scores of the lesions of a data set.

    Args:
        folder: folder with {noise}.csv.
        noises: the noises; those without a file, or without such lesions, are left out.
        inserted: whether to read the inserted lesions or the real ones.

    Returns:
        Scores by noise, in the order of `noises`.

    Raises:
        InputError: a file is malformed, or methods were scored on different lesions of the same noise.
    """
    found = {}
    for noise in noises:
        path = Path(folder, f"{noise}.csv")
        if not path.exists():
            continue
        rows = [row for row in read_csv(path, ("method", *KEYS, *METRICS)) if row["inserted"] == str(int(inserted))]
        if rows:
            found[noise] = _lesion_scores(path, rows)
    return found


def _lesion_scores(path: Path, rows: Sequence[Row]) -> LesionScores:
    methods: dict[str, list[Row]] = {}
    for row in rows:
        methods.setdefault(row["method"], []).append(row)
    first = next(iter(methods))
    marks = [tuple(row[key] for key in KEYS) for row in methods[first]]
    for method, own in methods.items():
        if [tuple(row[key] for key in KEYS) for row in own] != marks:
            raise InputError(f"{path}: {method!r} and {first!r} were scored on different lesions; score them again.")
    unscored = [row for row in methods[first] if not row["contrast_recovery"]]
    patients = {row["patient"] for row in rows}
    unit: Unit = "patient" if len(patients) > 1 else "lesion"
    blocks = {METRICS[column]: _block(path, column, methods, unit) for column in METRICS}
    return LesionScores(
        unit=unit,
        lesions=len({(row["patient"], row["lesion_id"]) for row in rows}),
        images=len({row["image_id"] for row in rows}),
        patients=len(patients),
        unscored=len(unscored),
        too_small=sum(int(row["pixels"]) < FEWEST_PIXELS for row in unscored),
        boxes=all(row["shape"] == "box" for row in rows),
        scored=len({(row["patient"], row["lesion_id"]) for row in methods[first] if row["contrast_recovery"]}),
        blocks={metric: block for metric, block in blocks.items() if block.image_ids},
        places=frozenset((row["image_id"], row["patient"]) for row in rows),
    )


def _block(path: Path, column: str, methods: Mapping[str, Sequence[Row]], unit: Unit) -> NoiseScores:
    """One value a unit of each method, from the rows in which every method has a value."""
    values = np.array([[_number(path, column, row) for row in rows] for rows in methods.values()])
    kept = ~np.isnan(values).any(axis=0)
    rows = [row for row, keep in zip(next(iter(methods.values())), kept, strict=True) if keep]
    lesions, means = _means([(row["patient"], row["lesion_id"]) for row in rows], values[:, kept])
    names = [lesion for _, lesion in lesions]
    if unit == "patient":
        names, means = _means([patient for patient, _ in lesions], means)
    scores = {METRICS[column]: dict(zip(methods, means, strict=True))}
    return merged(NoiseScores(tuple(names), tuple(names), scores))


def _means(keys: Sequence[Key], values: np.ndarray) -> tuple[list[Key], np.ndarray]:
    """Means of values (M, N) over the columns with the same key: the keys, in order, and float64 (M, K)."""
    columns: dict[Key, list[int]] = {}
    for i, key in enumerate(keys):
        columns.setdefault(key, []).append(i)
    means = [values[:, column].mean(axis=1) for column in columns.values()]
    return list(columns), np.stack(means, axis=1) if means else np.empty((len(values), 0))


def _number(path: Path, column: str, row: Row) -> float:
    """A score; nan where there is none, and at most `CEILING` dB."""
    text = row[column]
    if not text:
        return np.nan
    try:
        number = float(text)
    except ValueError:
        number = np.nan
    if np.isnan(number):
        where = f"{column} of {row['method']!r}, lesion {row['lesion_id']!r} in image {row['image_id']!r}"
        raise InputError(f"{path}: {where}, is {text!r}, which is not a number.")
    return min(number, CEILING) if column == "psnr" else number

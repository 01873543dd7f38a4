"""Read the scores of an ablation: a mean for each training, data set, noise and metric."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fplbench.errors import InputError
from fplbench.files import read_csv
from fplbench.lesions.joining import image_of_draw
from fplbench.reporting.ablation_lesions import means_by_kind
from fplbench.reporting.comparison import COMPARED, Cells, Means
from fplbench.reporting.labels import UNPROCESSED
from fplbench.reporting.scores import NoiseScores, read_cell
from fplbench.scoring.collation import FEATURE_COLUMNS, FEATURE_ERROR

PathLike = str | os.PathLike[str]


@dataclass(frozen=True)
class StageScores:
    """Scores of one stage of the ablation, validation or test.

    Attributes:
        cells: means by data set and noise.
        images: number of images of each data set, each counted once.
        draws: in how many draws of the noise each is scored, the largest number of a noise.
        patients: number of their patients.
    """

    cells: Cells
    images: Mapping[str, int]
    draws: Mapping[str, int]
    patients: Mapping[str, int]


def read_stage(folder: PathLike) -> StageScores:
    """Read the scores of a stage.

    Args:
        folder: with scores/{dataset}/{noise}.csv and, where they exist, files of the same names in feature_scores, lesion_scores
            and detectability.

    Raises:
        InputError: there are no scores, or a file is malformed.
    """
    folder = Path(folder)
    paths = sorted(folder.glob("scores/*/*.csv"))
    if not paths:
        raise InputError(f"{folder / 'scores'} has no scores, {{dataset}}/{{noise}}.csv: run `snakemake ablation`.")
    cells: dict[tuple[str, str], Means] = {}
    images: dict[str, int] = {}
    draws: dict[str, int] = {}
    patients: dict[str, int] = {}
    for path in paths:
        dataset, noise = path.parent.name, path.stem
        scores = read_cell(path, noise)
        images[dataset], patients[dataset] = len({*map(image_of_draw, scores.image_ids)}), len(set(scores.patients))
        draws[dataset] = max(draws.get(dataset, 1), len(scores.image_ids) // images[dataset])
        cells[dataset, noise] = {**_image_means(scores), **_further_means(folder, Path(dataset, path.name), scores)}
    return StageScores(cells, images, draws, patients)


def methods_of(path: PathLike) -> list[str]:
    """The methods of a table of scores, in the order of its rows."""
    return list(dict.fromkeys(row["method"] for row in read_csv(path, ("method",))))


def _image_means(scores: NoiseScores) -> dict[str, dict[str, float]]:
    """Means over the images for which a metric is defined, which are the same for all methods."""
    found = {}
    for metric in COMPARED:
        if metric in scores.values:
            values = np.stack([*scores.values[metric].values()])
            defined = ~np.isnan(values).any(axis=0)
            if defined.any():
                found[metric] = dict(zip(scores.values[metric], values[:, defined].mean(axis=1).tolist(), strict=True))
    return found


def _further_means(folder: Path, name: Path, scores: NoiseScores) -> dict[str, dict[str, float]]:
    """Means of the tables that lie beside that of the images, where they exist."""
    found: dict[str, dict[str, float]] = {}
    methods = scores.values["psnr"]
    if (path := folder / "feature_scores" / name).exists():
        rows = [(row["method"], row[FEATURE_ERROR]) for row in read_csv(path, FEATURE_COLUMNS)]
        found[FEATURE_ERROR] = _row_means(path, FEATURE_ERROR, rows)
    if (path := folder / "lesion_scores" / name).exists():
        found |= means_by_kind(path)
    if (path := folder / "detectability" / name).exists():
        rows = [(row["method"], row["dprime"]) for row in read_csv(path, ("method", "dprime")) if row["method"] != UNPROCESSED]
        found["dprime"] = _row_means(path, "d'", rows)
    for metric, means in found.items():
        if missing := [method for method in methods if method not in means]:
            raise InputError(f"{missing[0]!r} was not scored by {metric} on {name.with_suffix('')}: score the ablation again.")
    return {metric: {method: means[method] for method in methods} for metric, means in found.items()}


def _row_means(path: Path, what: str, rows: Iterable[tuple[str, str]]) -> dict[str, float]:
    """Mean over the rows of each method, such as images or kinds of signal."""
    values: dict[str, list[float]] = {}
    for method, text in rows:
        try:
            values.setdefault(method, []).append(float(text))
        except ValueError:
            raise InputError(f"{path}: {what} of {method!r} is {text!r}, which is not a number.") from None
    return {method: float(np.mean(found)) for method, found in values.items()}

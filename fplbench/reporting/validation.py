"""Mean scores on validation images, by which the rival of a row and the best filter are chosen."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from fplbench.errors import InputError
from fplbench.reporting.lesion_scores import INSERTED, read_lesion_scores
from fplbench.reporting.repeats import merged
from fplbench.reporting.scores import read_cell

Means = Mapping[str, Mapping[str, Mapping[str, float]]]
"""Means by noise, metric and column."""


def read_validation(folder: str | os.PathLike[str] | None, dataset: str, noises: Iterable[str]) -> Means:
    """Read the means of a data set on validation images.

    Args:
        folder: the folder with scores/{dataset}/{noise}.csv and lesion_scores/{dataset}/{noise}.csv; None gives no means.
        dataset: the data set.
        noises: the noises; those without scores are left out.

    Returns:
        By noise, metric and column. Lesions are averaged as in the tables.

    Raises:
        InputError: the folder does not exist, or a file is malformed.
    """
    if folder is None:
        return {}
    if not Path(folder).is_dir():
        raise InputError(f"{folder}, the folder with the scores of validation images, does not exist.")
    noises = list(noises)
    lesions = Path(folder, "lesion_scores", dataset)
    blocks = {prefix: read_lesion_scores(lesions, noises, bool(prefix)) for prefix in ("", INSERTED)}
    found: dict[str, dict[str, dict[str, float]]] = {}
    for noise in noises:
        path = Path(folder, "scores", dataset, f"{noise}.csv")
        if path.exists():
            found[noise] = _means(merged(read_cell(path, noise)).values)
            for prefix, scores in blocks.items():
                for metric, block in scores[noise].blocks.items() if noise in scores else ():
                    found[noise][f"{prefix}{metric}"] = _means(block.values)[metric]
    return found


def _means(values: Mapping[str, Mapping[str, np.ndarray]]) -> dict[str, dict[str, float]]:
    """Means over the images that have a score, by metric and column; metrics without any score are left out."""
    return {
        metric: {column: float(np.nanmean(scores)) for column, scores in columns.items() if not np.isnan(scores).all()}
        for metric, columns in values.items()
    }

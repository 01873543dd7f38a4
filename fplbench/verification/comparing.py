"""Two runs cell by cell: the means of every metric, data set, noise and method, and their differences."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from fplbench.config.sections import TABLE_METRICS
from fplbench.errors import InputError
from fplbench.reporting.lesion_scores import INSERTED, read_lesion_scores
from fplbench.reporting.repeats import read_columns
from fplbench.reporting.scores import NoiseScores
from fplbench.reporting.statistics import MINIMUM_UNITS, bootstrap_means, interval
from fplbench.seeds import generator
from fplbench.verification.results import Results

Row = tuple[str, str, str]
"""A data set, noise and metric."""
Key = tuple[str, str, str, str]
"""A data set, noise, metric and method."""


@dataclass(frozen=True)
class CellDifference:
    """A cell that both runs have.

    Attributes:
        key: its data set, noise, metric and method.
        a: its mean in the first run.
        b: its mean in the second.
        same: whether all scores are equal, not only their means.
        units: number of units, such as patients, that both were scored on.
        low: lower end of the 95 % interval of b - a, paired over units; None where there is none.
        high: upper end.
        why: why there is no interval, "" if there is one.
    """

    key: Key
    a: float
    b: float
    same: bool = False
    units: int = 0
    low: float | None = None
    high: float | None = None
    why: str = ""

    @property
    def difference(self) -> float:
        """How much larger the mean of the second run is."""
        return self.b - self.a


@dataclass(frozen=True)
class Comparison:
    """What `compare` finds.

    Attributes:
        cells: the cells of both runs, PSNR first, and of each metric the largest difference first.
        only_a: cells that the first run has alone.
        only_b: cells that the second run has alone.
    """

    cells: list[CellDifference]
    only_a: list[Key]
    only_b: list[Key]


def compare(a: Results, b: Results) -> Comparison:
    """Compare the means of two runs, of images and of lesions.

    Differences are paired: where both runs scored the same images, of at least `MINIMUM_UNITS` units, they have an interval from
    the bootstrap over units, as in the tables. Repeated trainings count by their mean.

    Raises:
        InputError: the scores of a run are missing or malformed.
    """
    left, right = read_rows(a), read_rows(b)
    ours, theirs = dict.fromkeys(_keys(left)), dict.fromkeys(_keys(right))
    seed = a.manifest.get("seed") or 0
    cells = [cell for row in left if row in right for cell in _differences(row, left[row], right[row], seed)]
    cells.sort(key=lambda cell: (_rank(cell.key[2]), -abs(cell.difference)))
    return Comparison(cells, [key for key in ours if key not in theirs], [key for key in theirs if key not in ours])


def read_rows(run: Results) -> dict[Row, NoiseScores]:
    """The scores of a run by data set, noise and metric; those of lesions under the names that they have in tables.

    Raises:
        InputError: scores.csv is missing, or a file of scores is malformed.
    """
    path = run.folder / "scores.csv"
    if not path.exists():
        raise InputError(f"{run.folder} has no scores.csv to compare; run snakemake again.")
    found: dict[Row, NoiseScores] = {}
    for dataset, noises in read_columns(path).items():
        for noise, scores in noises.items():
            found |= {(dataset, noise, metric): scores for metric in scores.values}
        for prefix in ("", INSERTED):
            lesions = read_lesion_scores(run.folder / "lesion_scores" / dataset, noises, inserted=bool(prefix))
            for noise, own in lesions.items():
                for metric, block in own.blocks.items():
                    name = f"{prefix}{metric}"
                    found[dataset, noise, name] = replace(block, values={name: block.values[metric]})
    return found


def _keys(rows: dict[Row, NoiseScores]) -> Iterator[Key]:
    for (dataset, noise, metric), found in rows.items():
        for method in found.values[metric]:
            yield dataset, noise, metric, method


def _differences(row: Row, a: NoiseScores, b: NoiseScores, seed: int) -> list[CellDifference]:
    """The cells of a row that both runs have."""
    left, right = a.values[row[2]], b.values[row[2]]
    methods = [method for method in left if method in right]
    if not methods:
        return []
    first, second = (np.stack([values[method] for method in methods]) for values in (left, right))
    if (a.image_ids, a.patients) != (b.image_ids, b.patients):
        means = zip(methods, np.nanmean(first, axis=1), np.nanmean(second, axis=1), strict=True)
        return [CellDifference((*row, method), float(one), float(other), why="other images") for method, one, other in means]
    return _paired(row, methods, first, second, a.patients, seed)


def _paired(
    row: Row, methods: list[str], first: np.ndarray, second: np.ndarray, units: tuple[str, ...], seed: int
) -> list[CellDifference]:
    """The cells of a row from the scores (methods, images) of the same images, without those that lack a score."""
    kept = ~(np.isnan(first) | np.isnan(second)).any(axis=0)
    if not kept.any():
        return []
    first, second = first[:, kept], second[:, kept]
    units = tuple(unit for unit, keep in zip(units, kept, strict=True) if keep)
    number, changes = len(set(units)), second - first
    cells = [
        CellDifference((*row, method), float(one.mean()), float(other.mean()), not (one - other).any(), number)
        for method, one, other in zip(methods, first, second, strict=True)
    ]
    if number < MINIMUM_UNITS:
        return [replace(cell, why=f"fewer than {MINIMUM_UNITS} units") for cell in cells]
    ends = np.zeros((2, len(methods)))
    if changes.any():
        ends = interval(bootstrap_means(changes, units, generator(seed, "compare", *row)), number)
    return [replace(cell, low=float(low), high=float(high)) for cell, low, high in zip(cells, *ends, strict=True)]


def _rank(metric: str) -> tuple[int, str]:
    return (TABLE_METRICS.index(metric) if metric in TABLE_METRICS else len(TABLE_METRICS), metric)

"""True and wrapped PSNR compared with the published values, for each cell and each kind of noise."""

import csv
import os
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from fplbench.errors import InputError

DISTINCT = 1.0
"""If true and wrapped PSNR differ by less than this, in dB, a cell does not show which of them was published."""
REPEATED = ("thermal",)
"""Noises whose published rows repeat those of another, so that they are not independent observations."""


@dataclass(frozen=True)
class Cell:
    """A published PSNR and ours for the same data set, noise and baseline, in dB, and the difference in SSIM."""

    dataset: str
    noise: str
    method: str
    published: float
    wrapped: float
    true: float
    ssim_difference: float

    @property
    def distinct(self) -> bool:
        """Whether true and wrapped PSNR differ enough to be told apart."""
        return abs(self.true - self.wrapped) >= DISTINCT

    @property
    def closer_to_wrapped(self) -> bool:
        """Whether the published value is closer to the wrapped PSNR than to the true one."""
        return abs(self.wrapped - self.published) < abs(self.true - self.published)


@dataclass(frozen=True)
class Kind:
    """The cells of a noise on a data set, one for each baseline."""

    dataset: str
    noise: str
    cells: Sequence[Cell]

    def median(self, name: str) -> float:
        """Median over the baselines of an attribute of the cells."""
        return median(getattr(cell, name) for cell in self.cells)

    def rank_correlation(self, name: str) -> float | None:
        """Spearman's correlation over the baselines between the published values and `wrapped` or `true`."""
        return rank_correlation([cell.published for cell in self.cells], [getattr(cell, name) for cell in self.cells])


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Spearman's correlation of two rows of values, with mean ranks for ties; None if all values of either are equal."""
    from scipy.stats import spearmanr

    if len(set(first)) < 2 or len(set(second)) < 2:
        return None
    return float(spearmanr(first, second).statistic)


def read_cells(path: str | os.PathLike) -> list[Cell]:
    """Published PSNRs and ours at the levels fitted to SSIM alone, without the rows that repeat those of another noise.

    Args:
        path: comparisons.csv of a calibration.

    Raises:
        InputError: the file is missing, is a different table, or has no such rows.
    """
    try:
        with open(path, newline="") as stream:
            rows = [row for row in csv.DictReader(stream) if row["fit"] == "ssim" and row["method"] != "noisy"]
        cells = _cells([row for row in rows if row["noise"] not in REPEATED])
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; fplbench calibrate writes it.") from None
    except (KeyError, ValueError) as error:
        raise InputError(f"{path} is not the comparisons.csv that fplbench calibrate writes: {error!r}.") from None
    if not cells:
        raise InputError(f"{path} has no comparison with a published PSNR.")
    return cells


def _cells(rows: Sequence[dict[str, str]]) -> list[Cell]:
    scores: dict[tuple[str, str, str], dict[str, dict[str, str]]] = {}
    for row in rows:
        scores.setdefault((row["dataset"], row["noise"], row["method"]), {})[row["metric"]] = row
    return [
        Cell(
            *key,
            float(each["psnr_uint8"]["published"]),
            float(each["psnr_uint8"]["ours"]),
            float(each["psnr"]["ours"]),
            float(each["ssim"]["ours"]) - float(each["ssim"]["published"]),
        )
        for key, each in scores.items()
        if each["psnr_uint8"]["published"] and each["ssim"]["published"]
    ]


def kinds(cells: Sequence[Cell]) -> list[Kind]:
    """The cells grouped by data set and noise, in their order."""
    groups: dict[tuple[str, str], list[Cell]] = {}
    for cell in cells:
        groups.setdefault((cell.dataset, cell.noise), []).append(cell)
    return [Kind(*key, group) for key, group in groups.items()]

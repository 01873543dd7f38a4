"""Tables 2 to 4 of the paper as data (Dong and Basu, arXiv:2310.20101), and what is wrong in them.

The values are as printed. `errata` has what is known to be wrong or doubtful. In particular, all PSNRs show the signs of 8-bit
overflow: compare them with `fplbench.scoring.psnr_uint8`, never with the true PSNR. The SSIMs can be compared directly.
"""

import csv
import math
from importlib.resources import files
from typing import NamedTuple

from fplbench.published.erratum import ANY, TEXT, Erratum, errata

__all__ = ["ANY", "COUNTERPARTS", "TEXT", "Erratum", "Published", "errata", "tables", "values"]

COUNTERPARTS = {"psnr": "psnr_uint8", "ssim": "ssim"}
"""The score with which each published metric is compared."""


class Published(NamedTuple):
    """One value of a table, PSNR in dB; NaN if the table has none.

    `bold` is whether it is printed in bold face, as the paper marks the best value of a row. It is not always the best.
    """

    dataset: str
    metric: str
    noise: str
    method: str
    value: float
    bold: bool


def tables() -> list[Published]:
    """All values of Tables 2 (lidc), 3 (lits) and 4 (rsna), in the order of the tables.

    Returns:
        790 values: psnr and ssim of 10 methods on 13 noises and three data sets, and the impulse row of lits. Data sets,
        noises and methods have the names that this package uses.
    """
    _, *lines = (files(__name__) / "tables.csv").read_text().splitlines()
    return [
        Published(dataset, metric, noise, method, float(value or math.nan), bold == "1")
        for dataset, metric, noise, method, value, bold in csv.reader(lines)
    ]


def values(dataset: str, metric: str) -> dict[tuple[str, str], float]:
    """Published values of a metric on a data set, by (noise, method), without missing ones; empty for other data sets."""
    return {
        (entry.noise, entry.method): entry.value
        for entry in tables()
        if (entry.dataset, entry.metric) == (dataset, metric) and not math.isnan(entry.value)
    }

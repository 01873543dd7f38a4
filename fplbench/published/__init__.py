"""Tables 2 to 4 of the paper as data (Dong and Basu, arXiv:2310.20101).

Notes on these numbers:

- All PSNRs are 27.27 dB or more and show the signs of 8-bit overflow. Compare them with `fplbench.scoring.psnr_uint8`, never
  with the true PSNR. The SSIMs can be compared directly.
- The thermal rows repeat the Gaussian ones digit by digit for all baselines, in all three tables; only the values of the
  paper's own method differ.
- Table 3 (LiTS) has a fourteenth SSIM row, impulse, without a PSNR row; its baselines repeat those of salt and pepper.
- Table 4 (RSNA) has only nine values in the SSIM row of the chemical shift; the last column, Wiener, is taken as the missing
  one.
- In the SSIM rows of salt and pepper (LIDC and LiTS) and impulse (LiTS) the value of the paper's method is in bold although
  that of the median filter is higher. `tables` returns values only, so the best is always determined from them.
- The introduction lists Rayleigh noise where Table 1 and the tables of results have Rician.
"""

import csv
import math
from importlib.resources import files
from typing import NamedTuple


class Published(NamedTuple):
    """One value of a table, PSNR in dB; NaN if the table has none."""

    dataset: str
    metric: str
    noise: str
    method: str
    value: float


def tables() -> list[Published]:
    """All values of Tables 2 (lidc), 3 (lits) and 4 (rsna), in the order of the tables.

    Returns:
        790 values: psnr and ssim of 10 methods on 13 noises and three data sets, and the impulse row of lits. Data sets,
        noises and methods have the names that this package uses.
    """
    _, *lines = (files(__name__) / "tables.csv").read_text().splitlines()
    return [
        Published(dataset, metric, noise, method, float(value or math.nan))
        for dataset, metric, noise, method, value in csv.reader(lines)
    ]


def values(dataset: str, metric: str) -> dict[tuple[str, str], float]:
    """Published values of a metric on a data set, by (noise, method), without missing ones; empty for other data sets."""
    return {
        (entry.noise, entry.method): entry.value
        for entry in tables()
        if (entry.dataset, entry.metric) == (dataset, metric) and not math.isnan(entry.value)
    }

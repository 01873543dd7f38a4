"""The paper's Tables 2 to 4 as data (Dong and Basu, arXiv:2310.20101).

What a reader of these numbers should know:

- Every PSNR lies at 27.27 dB or above and shows the signs of 8-bit overflow; compare it with
  `fplbench.scoring.psnr_uint8` and never with the true PSNR. SSIM compares as it stands.
- The thermal rows repeat the Gaussian ones digit by digit for every baseline, in all three tables; only the paper's own
  method differs.
- Table 3 (LiTS) has a fourteenth SSIM row, impulse, without a PSNR row; its baselines repeat salt and pepper.
- Table 4 (RSNA) prints nine values in the SSIM row of the chemical shift; the last column, Wiener, is taken as
  missing.
- In the SSIM rows of salt and pepper (LIDC and LiTS) and impulse (LiTS) the bold face stands on the paper's method,
  though the median filter is higher. `tables` gives values only, so that the best is always found from them.
- The text of the introduction lists Rayleigh noise where Table 1 and the result tables have Rician.
"""

import csv
import math
from importlib.resources import files
from typing import NamedTuple


class Published(NamedTuple):
    """One printed value. `value` is NaN where the table has none; psnr in dB."""

    dataset: str
    metric: str
    noise: str
    method: str
    value: float


def tables() -> list[Published]:
    """All values of Tables 2 (lidc), 3 (lits) and 4 (rsna), in the order of the tables.

    Returns:
        790 values: 13 noises, 10 methods, psnr and ssim, three data sets, and the impulse row of lits.
        Names of data sets, noises and methods are those used everywhere in this package.
    """
    with (files(__name__) / "tables.csv").open(newline="") as stream:
        return [Published(*names, float(value or math.nan)) for *names, value in list(csv.reader(stream))[1:]]


def values(dataset: str, metric: str) -> dict[tuple[str, str], float]:
    """Published values of one table block, by (noise, method), without the missing one; empty for other data sets."""
    return {
        (entry.noise, entry.method): entry.value
        for entry in tables()
        if (entry.dataset, entry.metric) == (dataset, metric) and not math.isnan(entry.value)
    }

"""What true and wrapped PSNR give beside the published values: a page written from the numbers of a calibration."""

import csv
import os
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from fplbench import published
from fplbench.calibration.reports import table, write_text
from fplbench.calibration.scenes import TOLERANCE
from fplbench.errors import InputError
from fplbench.noise import NOISES

FLOOR = 27.90
"""Wrapped PSNR of unrelated 8-bit images: 10 log10(255^2 / 105.5), in dB."""
DISTINCT = 1.0
"""True and wrapped PSNR closer than this, in dB, do not tell which one was published."""


@dataclass(frozen=True)
class Cell:
    """One published PSNR, and ours for the same data set, noise and baseline; dB, and the difference in SSIM."""

    dataset: str
    noise: str
    method: str
    published: float
    wrapped: float
    true: float
    ssim_difference: float

    @property
    def tells(self) -> bool:
        """Whether true and wrapped PSNR differ enough to tell them apart."""
        return abs(self.true - self.wrapped) >= DISTINCT

    @property
    def nearer_wrapped(self) -> bool:
        """Whether the published value is nearer to the wrapped PSNR than to the true one."""
        return abs(self.wrapped - self.published) < abs(self.true - self.published)


def write_page(comparisons: str | os.PathLike, page: str | os.PathLike, note: str = "") -> None:
    """Write the page from comparisons.csv of a calibration.

    Args:
        comparisons: the file; its rows of the fit to SSIM alone are used.
        page: the Markdown file to write.
        note: a sentence about the images.

    Raises:
        InputError: the file is missing or has no such rows.
    """
    write_text(page, render(read_cells(comparisons), note))


def read_cells(path: str | os.PathLike) -> list[Cell]:
    """Published PSNRs with ours at the levels fitted to SSIM alone."""
    try:
        with open(path, newline="") as stream:
            rows = [row for row in csv.DictReader(stream) if row["fit"] == "ssim" and row["method"] != "noisy"]
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; fplbench calibrate writes it.") from None
    scores: dict[tuple[str, str, str], dict[str, dict[str, str]]] = {}
    for row in rows:
        scores.setdefault((row["dataset"], row["noise"], row["method"]), {})[row["metric"]] = row
    cells = [
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
    if not cells:
        raise InputError(f"{path} has no comparison with a published PSNR.")
    return cells


def render(cells: Sequence[Cell], note: str = "") -> str:
    """The page as Markdown."""
    parts = [INTRODUCTION, *([note] if note else [])]
    for dataset in dict.fromkeys(cell.dataset for cell in cells):
        parts += [f"## {dataset}", _dataset_table([cell for cell in cells if cell.dataset == dataset])]
    parts += ["## What the numbers carry", *_findings(cells), "## What they do not carry", LIMITS]
    return "\n\n".join(parts) + "\n"


INTRODUCTION = """# The published PSNR beside true and wrapped PSNR

When 8-bit images are subtracted and squared in 8 bit, both operations wrap modulo 256, and PSNR no longer falls below
about 27.9 dB. This page asks whether the published values look like that. The level of each noise was fitted to the
published **SSIM alone**, which does not wrap, with the filters' default options; no published PSNR took part. Then both
kinds of PSNR were computed for the cheap baselines at that level. This page is written by `fplbench published-psnr`."""

LIMITS = """- They do not show what code the authors ran, only which of two formulas comes closer to its results.
- Noise models, filter options and the images differ from the unpublished ones; a kind whose SSIM does not come within
  the tolerance says little, whichever formula comes closer.
- The cells are not independent: the filters see the same noisy images.
- They say nothing about the paper's own method or DPIR, which were not run for this page."""


def _dataset_table(cells: Sequence[Cell]) -> str:
    head = ["noise", "published, dB", "wrapped, dB", "true, dB", "SSIM, ours less published", "nearer to wrapped"]
    rows = []
    for noise in dict.fromkeys(cell.noise for cell in cells):
        group = [cell for cell in cells if cell.noise == noise]
        telling = [cell for cell in group if cell.tells]
        rows.append(
            [
                NOISES[noise].title,
                *(f"{median(getattr(cell, name) for cell in group):.1f}" for name in ("published", "wrapped", "true")),
                f"{median(cell.ssim_difference for cell in group):+.2f}",
                f"{sum(cell.nearer_wrapped for cell in telling)} of {len(telling)}",
            ]
        )
    return "Medians over the baselines; the last column counts baselines.\n\n" + table(head, rows)


def _findings(cells: Sequence[Cell]) -> list[str]:
    telling = [cell for cell in cells if cell.tells]
    trusted = [cell for cell in telling if abs(cell.ssim_difference) <= TOLERANCE["ssim"]]
    values = [entry.value for entry in published.tables() if entry.metric == "psnr"]
    lowest = min(values)
    below = sum(cell.true < lowest for cell in cells)
    lines = [
        f"- {len(cells)} published PSNRs were compared. In {len(telling)} of them true and wrapped PSNR are at least "
        f"{DISTINCT:g} dB apart. {_share(telling)}",
        f"- Counting only those whose SSIM also agrees within {TOLERANCE['ssim']}: {_share(trusted)}",
        f"- Median distance from the published value over these: {_distance(trusted, 'wrapped')} for the wrapped PSNR, "
        f"{_distance(trusted, 'true')} for the true one.",
        f"- The lowest of all {len(values)} published PSNRs is {lowest:.2f} dB; unrelated images have a wrapped PSNR "
        f"of {FLOOR:.2f} dB. Of the {len(cells)} true PSNRs here, {below} lie below that lowest value.",
    ]
    return ["\n".join(lines), _conclusion(trusted)]


def _share(cells: Sequence[Cell]) -> str:
    if not cells:
        return "there are none."
    nearer = sum(cell.nearer_wrapped for cell in cells)
    share = f"{nearer} of {len(cells)} ({100 * nearer / len(cells):.0f} %)"
    return f"In {share} the published value is nearer to the wrapped one."


def _distance(cells: Sequence[Cell], name: str) -> str:
    if not cells:
        return "none"
    return f"{median(abs(getattr(cell, name) - cell.published) for cell in cells):.1f} dB"


def _conclusion(cells: Sequence[Cell]) -> str:
    """The sentence the counts allow: nine in ten, and at least 20 cells, for either side; else no conclusion."""
    share = sum(cell.nearer_wrapped for cell in cells) / len(cells) if cells else 0.5
    if len(cells) >= 20 and share >= 0.9:
        return "So the published values behave like the wrapped PSNR and not like the true one."
    if len(cells) >= 20 and share <= 0.1:
        return "So the published values behave like the true PSNR and not like the wrapped one."
    return "So these numbers do not decide between the two."

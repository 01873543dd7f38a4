"""The page that compares the published PSNR with true and wrapped PSNR, written from the numbers of a calibration."""

import math
import os
from collections.abc import Sequence
from html import escape
from statistics import median

from fplbench import published
from fplbench.calibration.evidence import DISTINCT, Cell, Kind, kinds, read_cells
from fplbench.calibration.reports import table
from fplbench.calibration.scenes import TOLERANCE
from fplbench.files import write_text
from fplbench.noise import NOISES

FLOOR = 27.90
"""Wrapped PSNR of unrelated 8-bit images: 10 log10(255^2 / 105.5), in dB."""
STRONG = 0.738
"""Spearman's correlation of eight values reaches this by chance once in 44 cases, and either sign of it in 5 % of cases."""
ENOUGH = 20
"""Number of cells or kinds below which no conclusion is drawn."""


def write_page(comparisons: str | os.PathLike, page: str | os.PathLike, note: str = "") -> None:
    """Write the page from comparisons.csv of a calibration.

    Args:
        comparisons: the file, of which the rows of the fit to SSIM alone are used.
        page: the Markdown file to write.
        note: a sentence about the images.

    Raises:
        InputError: the file is missing, is a different table, or has no such rows.
    """
    write_text(page, render(read_cells(comparisons), note))


def render(cells: Sequence[Cell], note: str = "") -> str:
    """The page as Markdown."""
    groups = kinds(cells)
    parts = [INTRODUCTION, *([escape(note, quote=False)] if note else []), COLUMNS]
    for dataset in dict.fromkeys(cell.dataset for cell in cells):
        parts += [f"## {dataset}", _dataset_table([kind for kind in groups if kind.dataset == dataset])]
    parts += ["## What the numbers show", "\n".join([*_levels(cells), _order(groups), _pair()])]
    parts += [_conclusion(cells), _order_conclusion(groups), "## What they do not show", LIMITS]
    return "\n\n".join(parts) + "\n"


INTRODUCTION = """# The published PSNR compared with true and wrapped PSNR

If 8-bit images are subtracted and squared in 8-bit arithmetic, both operations wrap around modulo 256, and the PSNR does not
fall below about 27.9 dB. This page examines whether the published values were computed in this way. The level of each noise
was fitted to the published **SSIM alone**, which does not wrap around, with the default options of the filters. No published
PSNR was used in the fit. Both kinds of PSNR were then computed for the cheap baselines at these levels. The thermal rows are
left out because the published ones repeat the Gaussian ones. `fplbench published-psnr` writes this page."""

COLUMNS = """The tables give medians over the baselines. "Closer to wrapped" is the number of baselines whose published value is
closer to the wrapped PSNR than to the true one, out of those for which the two differ by at least 1 dB. The rank correlations
(Spearman) are over the baselines: they show whether the baselines that score higher in the paper also score higher here."""

LIMITS = """- "Closer to wrapped" is almost inevitable: all published values are at least 27.27 dB, and at these levels most true
  PSNRs are lower. True PSNRs at weaker noise, together with an SSIM computed in a different way, would lead to the same
  counts. The authors may have computed SSIM differently (window, data range, constants), and the levels here depend on it.
- The cells whose true PSNR is as high as the published ones, and the order of the baselines, are stronger evidence. But there
  are few such cells, and the order of eight baselines is a coarse measure.
- The noise models, the bounds of their levels, the options of the filters and the images are ours, chosen with the published
  tables in view. A kind of noise whose SSIM is not within the tolerance is weak evidence.
- The cells are not independent: the filters get the same noisy images, and all kinds of noise the same clean ones.
- The numbers do not show which code the authors ran. They say nothing about the paper's own method or DPIR, which were not
  run for this page."""


def _dataset_table(groups: Sequence[Kind]) -> str:
    head = ["noise", "published, dB", "wrapped, dB", "true, dB", "SSIM, ours minus published", "closer to wrapped"]
    head += ["rank correlation with wrapped", "with true"]
    rows = []
    for kind in groups:
        distinct = [cell for cell in kind.cells if cell.distinct]
        rows.append(
            [
                NOISES[kind.noise].title,
                *(f"{kind.median(name):.1f}" for name in ("published", "wrapped", "true")),
                f"{kind.median('ssim_difference'):+.2f}",
                f"{sum(cell.closer_to_wrapped for cell in distinct)} of {len(distinct)}",
                *(_signed(kind.rank_correlation(name)) for name in ("wrapped", "true")),
            ]
        )
    return table(head, rows)


def _levels(cells: Sequence[Cell]) -> list[str]:
    """Sentences on the published values."""
    values = [entry.value for entry in published.tables() if entry.metric == "psnr"]
    distinct, trusted, lowest = [cell for cell in cells if cell.distinct], _trusted(cells), min(values)
    high = [cell for cell in distinct if cell.true >= lowest]
    return [
        f"- {len(cells)} published PSNRs were compared. For {len(distinct)} of them, true and wrapped PSNR differ by at least "
        f"{DISTINCT:g} dB: {_counts(distinct)}",
        f"- Of these, the ones whose SSIM also agrees to within {TOLERANCE['ssim']}: {_counts(trusted)}",
        f"- The lowest of all {len(values)} published PSNRs is {lowest:.2f} dB; unrelated images have a wrapped PSNR of "
        f"{FLOOR:.2f} dB. Of the {len(cells)} true PSNRs here, {sum(cell.true < lowest for cell in cells)} are lower than that "
        "lowest value, so that any published value is almost bound to be closer to the wrapped one. For the others: "
        f"{_counts(high)}",
    ]


def _order(groups: Sequence[Kind]) -> str:
    """Sentences on the order of the baselines."""
    pairs = _correlations(groups)
    if not pairs:
        return "- There are no orders of the baselines to compare."
    higher = sum(wrapped > true for wrapped, true in pairs.values())
    lines = [
        f"- The order of the baselines: the median rank correlation with the published values is "
        f"{median(wrapped for wrapped, _ in pairs.values()):+.2f} for the wrapped PSNR and "
        f"{median(true for _, true in pairs.values()):+.2f} for the true one. It is higher for the wrapped one in {higher} of "
        f"{len(pairs)} combinations of noise and data set."
    ]
    for position, name in enumerate(("wrapped", "true")):
        strong = [_name(kind) for kind, pair in pairs.items() if pair[position] >= STRONG]
        lines.append(
            f"For the {name} PSNR it reaches {STRONG:.2f}, which happens by chance once in 44 cases, in: "
            f"{', '.join(strong) or 'none'}."
        )
    return " ".join(lines)


def _pair() -> str:
    """The published pair of scores that is least plausible."""
    pairs = [
        (value, published.values(dataset, "ssim")[key], dataset, *key)
        for dataset in ("lidc", "lits", "rsna")
        for key, value in published.values(dataset, "psnr").items()
        if published.values(dataset, "ssim").get(key, 1) < 0.5
    ]
    psnr, ssim, dataset, noise, method = max(pairs)
    error = 255 * 10 ** (-psnr / 20)
    return (
        f"- The highest published PSNR with an SSIM below 0.5 is {psnr:.2f} dB with {ssim:.2f} ({dataset}, {noise}, "
        f"{method}). As a true PSNR, it would mean a root mean square error of {error:.1f} of 255 grey values."
    )


def _conclusion(cells: Sequence[Cell]) -> str:
    """The conclusion from the counts, which needs enough cells and nine in ten of them on one side."""
    trusted = _trusted(cells)
    share = sum(cell.closer_to_wrapped for cell in trusted) / len(trusted) if trusted else 0.5
    if len(trusted) >= ENOUGH and share >= 0.9:
        return "At levels fitted to SSIM, the published values therefore agree with the wrapped PSNR, and not with the true one."
    if len(trusted) >= ENOUGH and share <= 0.1:
        return "At levels fitted to SSIM, the published values therefore agree with the true PSNR, and not with the wrapped one."
    return "The published values themselves therefore do not decide between the two."


def _order_conclusion(groups: Sequence[Kind]) -> str:
    """The conclusion from the order, which needs enough kinds, three in four of them higher, and a strong median."""
    pairs = list(_correlations(groups).values())
    for position, name in enumerate(("wrapped", "true")):
        higher = sum(pair[position] > pair[1 - position] for pair in pairs)
        if len(pairs) >= ENOUGH and higher >= 0.75 * len(pairs) and median(pair[position] for pair in pairs) >= STRONG:
            return f"The order of the baselines also agrees with the {name} PSNR, and less with the other."
    return (
        "The order of the baselines, which is the stronger check, does not decide between the two: neither formula reproduces "
        "it for all kinds of noise. The kinds for which one does are listed above."
    )


def _correlations(groups: Sequence[Kind]) -> dict[tuple[str, str], tuple[float, float]]:
    """Rank correlations with wrapped and true PSNR by data set and noise, where both exist."""
    pairs = {}
    for kind in groups:
        wrapped, true = kind.rank_correlation("wrapped"), kind.rank_correlation("true")
        if wrapped is not None and true is not None:
            pairs[kind.dataset, kind.noise] = wrapped, true
    return pairs


def _trusted(cells: Sequence[Cell]) -> list[Cell]:
    return [cell for cell in cells if cell.distinct and abs(cell.ssim_difference) <= TOLERANCE["ssim"]]


def _name(kind: tuple[str, str]) -> str:
    dataset, noise = kind
    return f"{NOISES[noise].title} ({dataset})"


def _signed(value: float | None) -> str:
    return "" if value is None or math.isnan(value) else f"{value:+.2f}"


def _counts(cells: Sequence[Cell]) -> str:
    if not cells:
        return "there are none."
    closer = sum(cell.closer_to_wrapped for cell in cells)
    wrapped, true = (median(abs(getattr(cell, name) - cell.published) for cell in cells) for name in ("wrapped", "true"))
    return (
        f"the published value is closer to the wrapped PSNR in {closer} of {len(cells)} cases "
        f"({100 * closer / len(cells):.0f} %); its median distance is {wrapped:.1f} dB from the wrapped and {true:.1f} dB from "
        "the true PSNR."
    )

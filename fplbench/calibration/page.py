"""The page on the published PSNR, written from the numbers of a calibration: it concludes what they carry and no more."""

import math
import os
from collections.abc import Sequence
from statistics import median

from fplbench import published
from fplbench.calibration.evidence import DISTINCT, Cell, Kind, kinds, read_cells
from fplbench.calibration.reports import table, write_text
from fplbench.calibration.scenes import TOLERANCE
from fplbench.noise import NOISES

FLOOR = 27.90
"""Wrapped PSNR of unrelated 8-bit images: 10 log10(255^2 / 105.5), in dB."""
STRONG = 0.738
"""By chance, Spearman's correlation of eight values is this high once in 44 times: 5 % for both signs together."""
ENOUGH = 20
"""Cells or kinds below which a share decides nothing."""


def write_page(comparisons: str | os.PathLike, page: str | os.PathLike, note: str = "") -> None:
    """Write the page from comparisons.csv of a calibration.

    Args:
        comparisons: the file; its rows of the fit to SSIM alone are used.
        page: the Markdown file to write.
        note: a sentence about the images.

    Raises:
        InputError: the file is missing, is another table, or has no such rows.
    """
    write_text(page, render(read_cells(comparisons), note))


def render(cells: Sequence[Cell], note: str = "") -> str:
    """The page as Markdown."""
    groups = kinds(cells)
    parts = [INTRODUCTION, *([note] if note else []), COLUMNS]
    for dataset in dict.fromkeys(cell.dataset for cell in cells):
        parts += [f"## {dataset}", _dataset_table([kind for kind in groups if kind.dataset == dataset])]
    parts += ["## What the numbers carry", "\n".join([*_levels(cells), _order(groups), _pair()])]
    parts += [_conclusion(cells), _order_conclusion(groups), "## What they do not carry", LIMITS]
    return "\n\n".join(parts) + "\n"


INTRODUCTION = """# The published PSNR beside true and wrapped PSNR

When 8-bit images are subtracted and squared in 8 bit, both operations wrap modulo 256, and PSNR no longer falls below
about 27.9 dB. This page asks whether the published values look like that. The level of each noise was fitted to the
published **SSIM alone**, which does not wrap, with the filters' default options; no published PSNR took part in the fit.
Then both kinds of PSNR were computed for the cheap baselines at that level. The thermal rows are left out, as the published
ones repeat the Gaussian ones. This page is written by `fplbench published-psnr`."""

COLUMNS = """The tables give medians over the baselines. "Nearer to wrapped" counts the baselines whose published value is
nearer to the wrapped PSNR than to the true one, of those where the two differ by 1 dB. The rank correlations are Spearman's,
over the baselines: do the baselines that score higher in the paper score higher here?"""

LIMITS = """- "Nearer to wrapped" follows almost by itself: every published value is at least 27.27 dB, and at these levels the
  true PSNR mostly is not. A true PSNR at weaker noise, beside an SSIM computed in another way, would lie there too. The
  authors' SSIM may be another one (window, data range, constants), and the levels here hang on it.
- Where the true PSNR is as high as the published ones, and in the order of the baselines, less follows by itself; but these
  checks have few cells, and an order of eight baselines is coarse.
- The kinds' models, the bounds of their levels, the filters' options and the images are ours, chosen with the published
  tables at hand; a kind whose SSIM does not come within the tolerance says little.
- The cells are not independent: the filters see the same noisy images, and all kinds the same clean ones.
- They do not show what code the authors ran, and say nothing about the paper's own method or DPIR, which were not run for
  this page."""


def _dataset_table(groups: Sequence[Kind]) -> str:
    head = ["noise", "published, dB", "wrapped, dB", "true, dB", "SSIM, ours less published", "nearer to wrapped"]
    head += ["rank correlation with wrapped", "with true"]
    rows = []
    for kind in groups:
        telling = [cell for cell in kind.cells if cell.tells]
        rows.append(
            [
                NOISES[kind.noise].title,
                *(f"{kind.median(name):.1f}" for name in ("published", "wrapped", "true")),
                f"{kind.median('ssim_difference'):+.2f}",
                f"{sum(cell.nearer_wrapped for cell in telling)} of {len(telling)}",
                *(_signed(kind.rank_correlation(name)) for name in ("wrapped", "true")),
            ]
        )
    return table(head, rows)


def _levels(cells: Sequence[Cell]) -> list[str]:
    """Sentences on where the published values lie."""
    values = [entry.value for entry in published.tables() if entry.metric == "psnr"]
    telling, trusted, lowest = [cell for cell in cells if cell.tells], _trusted(cells), min(values)
    high = [cell for cell in telling if cell.true >= lowest]
    return [
        f"- {len(cells)} published PSNRs were compared. In {len(telling)} of them true and wrapped PSNR are at least "
        f"{DISTINCT:g} dB apart: {_counts(telling)}",
        f"- Those whose SSIM also agrees within {TOLERANCE['ssim']}: {_counts(trusted)}",
        f"- The lowest of all {len(values)} published PSNRs is {lowest:.2f} dB; unrelated images have a wrapped PSNR of "
        f"{FLOOR:.2f} dB. Of the {len(cells)} true PSNRs here, {sum(cell.true < lowest for cell in cells)} lie below that "
        "lowest value, so that any published value is almost bound to be nearer to the wrapped one. Those whose true PSNR does "
        f"not: {_counts(high)}",
    ]


def _order(groups: Sequence[Kind]) -> str:
    """The sentence on the order of the baselines."""
    pairs = _correlations(groups)
    if not pairs:
        return "- There is no order of the baselines to compare."
    higher = sum(wrapped > true for wrapped, true in pairs.values())
    lines = [
        f"- Order of the baselines: the median rank correlation with the published values is "
        f"{median(wrapped for wrapped, _ in pairs.values()):+.2f} for the wrapped PSNR, "
        f"{median(true for _, true in pairs.values()):+.2f} for the true one; it is higher for the wrapped one in {higher} of "
        f"{len(pairs)} noises and data sets."
    ]
    for position, name in enumerate(("wrapped", "true")):
        strong = [_name(kind) for kind, pair in pairs.items() if pair[position] >= STRONG]
        lines.append(
            f"It is at least {STRONG:.2f}, by chance once in 44 times, for the {name} PSNR in: {', '.join(strong) or 'none'}."
        )
    return " ".join(lines)


def _pair() -> str:
    """The published pair of scores that is hardest to have together."""
    pairs = [
        (value, published.values(dataset, "ssim")[key], dataset, *key)
        for dataset in ("lidc", "lits", "rsna")
        for key, value in published.values(dataset, "psnr").items()
        if published.values(dataset, "ssim").get(key, 1) < 0.5
    ]
    psnr, ssim, dataset, noise, method = max(pairs)
    error = 255 * 10 ** (-psnr / 20)
    return (
        f"- The highest published PSNR beside an SSIM below 0.5 is {psnr:.2f} dB beside {ssim:.2f} ({dataset}, {noise}, "
        f"{method}). As a true PSNR it would be a root mean square error of {error:.1f} of 255 grey values."
    )


def _conclusion(cells: Sequence[Cell]) -> str:
    """The sentence the counts allow: nine in ten of enough cells, for either side; else no conclusion."""
    trusted = _trusted(cells)
    share = sum(cell.nearer_wrapped for cell in trusted) / len(trusted) if trusted else 0.5
    if len(trusted) >= ENOUGH and share >= 0.9:
        return (
            "So, at levels fitted to SSIM, the published values lie where the wrapped PSNR lies, and not where the true one does."
        )
    if len(trusted) >= ENOUGH and share <= 0.1:
        return (
            "So, at levels fitted to SSIM, the published values lie where the true PSNR lies, and not where the wrapped one does."
        )
    return "So where the published values lie does not decide between the two."


def _order_conclusion(groups: Sequence[Kind]) -> str:
    """The sentence the order allows: three in four of enough kinds higher, and a strong median; else no conclusion."""
    pairs = list(_correlations(groups).values())
    for position, name in enumerate(("wrapped", "true")):
        higher = sum(pair[position] > pair[1 - position] for pair in pairs)
        if len(pairs) >= ENOUGH and higher >= 0.75 * len(pairs) and median(pair[position] for pair in pairs) >= STRONG:
            return f"The order of the baselines agrees with the {name} PSNR too, and less with the other."
    return (
        "The order of the baselines, the more telling check, does not decide between the two: neither formula reproduces it "
        "over all kinds, and those in which one does are named above."
    )


def _correlations(groups: Sequence[Kind]) -> dict[tuple[str, str], tuple[float, float]]:
    """Rank correlations with wrapped and true PSNR by data set and noise, where both exist."""
    pairs = {(each.dataset, each.noise): (each.rank_correlation("wrapped"), each.rank_correlation("true")) for each in groups}
    return {key: pair for key, pair in pairs.items() if None not in pair}


def _trusted(cells: Sequence[Cell]) -> list[Cell]:
    return [cell for cell in cells if cell.tells and abs(cell.ssim_difference) <= TOLERANCE["ssim"]]


def _name(kind: tuple[str, str]) -> str:
    dataset, noise = kind
    return f"{NOISES[noise].title} ({dataset})"


def _signed(value: float | None) -> str:
    return "" if value is None or math.isnan(value) else f"{value:+.2f}"


def _counts(cells: Sequence[Cell]) -> str:
    if not cells:
        return "there are none."
    nearer = sum(cell.nearer_wrapped for cell in cells)
    wrapped, true = (median(abs(getattr(cell, name) - cell.published) for cell in cells) for name in ("wrapped", "true"))
    return (
        f"the published value is nearer to the wrapped one in {nearer} of {len(cells)} ({100 * nearer / len(cells):.0f} %), "
        f"and lies {wrapped:.1f} dB from the wrapped and {true:.1f} dB from the true one in the median."
    )

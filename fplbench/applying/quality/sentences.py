"""What a quality page says of a scan, in sentences."""

import re
from collections.abc import Callable, Sequence

from fplbench.applying.quality.summary import EdgeSummary, SpectrumSummary, TissueSummary
from fplbench.applying.quality.tissues import Tissue
from fplbench.applying.scan import Facts
from fplbench.applying.units import EDGE
from fplbench.networks.card import Card
from fplbench.reporting.sentences import listed

# More than the removal of noise alone gives, uneven, correlated and in steps: tests/applying/quality/test_noise.py.
EDGES = 0.1  # correlation with edges
MANY = 0.03  # share of large changes
LEAST = 0.001  # share that is written as such
SINGLE = (
    "Tissues are ranges of the smoothed image, so a tissue that lies outside the window has single pixels within it, which are "
    "changed."
)
FEW = 10  # patches; the spectra of fewer are uncertain
IDENTIFIER = re.compile(r"[\d.]{32,}")  # a UID; only its end differs between the scans of a study
KEPT = 20  # characters of it in a title
Write = Callable[[float], str]


def heading(label: str, model: str) -> str:
    """The title of the page: of a UID only the last 20 characters, and no full stop of an abbreviation."""
    short = IDENTIFIER.sub(lambda found: f"…{found[0][-KEPT:]}", label)
    return f"What {model.rstrip('.')} changed in {short}"


def plain(value: float, hounsfield: bool) -> str:
    """A number without its unit: tenths of HU, or else three digits."""
    import numpy as np

    text = f"{value:.1f}" if hounsfield else np.format_float_positional(value, precision=3, fractional=False, trim="-")
    return text.replace("-", "−") if float(text) else text.lstrip("-")


def scan_sentence(facts: Facts) -> str:
    """Modality, size and spacing of the scan."""
    size = f"{facts.slices} {'slice' if facts.slices == 1 else 'slices'} of {facts.rows} × {facts.columns} pixels"
    spacing = "spacing of the pixels unknown"
    if facts.spacing:
        row, column = (f"{side:.3g}" for side in facts.spacing)
        spacing = f"pixels of {row} mm" if row == column else f"pixels of {row} × {column} mm"
    return f"{facts.label}: {facts.modality or 'modality unknown'}, {size}, {spacing}."


def window_sentence(window: tuple[float, float], unit: str, card: Card | None) -> str:
    """Which values the model changes."""
    low, high = (f"{value:g}".replace("-", "−") for value in window)
    own = " by percentiles of the scan" if card and card.percentiles else ""
    return (
        f"{low} to {high} {unit}{own}. Values outside it are unchanged, and over the outermost {100 * EDGE:.0f} % at each of "
        "its ends the change fades out."
    )


def measured_sentence(measured: int, slices: int) -> str:
    """Of which slices the numbers of the page are."""
    return (
        f"Noise, mean values, spectra and edges in {measured} of the {slices} slices, evenly spread; the histogram and the "
        "largest changes are of all slices."
    )


def numbering(facts: Facts) -> str:
    """How the slices, rows and columns of the crops are counted."""
    stored = "as in the file" if facts.names else "in the slice as it is shown above, which may be turned in the file"
    middle = (
        "Rows and columns are those of the middle of the crop, except near the border of a slice, and are counted from 0, "
        f"{stored}."
    )
    if facts.slices == 1:
        return middle
    return (
        f"{middle} Slices are counted from 1, towards the head, the back or the left of the patient if their positions are known."
    )


def few_patches(spectrum: SpectrumSummary) -> str:
    """A caution, without a full stop; empty if there are enough patches."""
    if spectrum.patches >= FEW:
        return ""
    return f"this is uncertain, as there {'is only 1 patch' if spectrum.patches == 1 else f'are only {spectrum.patches} patches'}"


def follows_edges(edges: EdgeSummary) -> bool:
    """Whether the change is stronger at edges than elsewhere."""
    return edges.excess > EDGES


def has_many_large(edges: EdgeSummary) -> bool:
    """Whether more of the change is large than in noise."""
    return edges.large > MANY


def edge_sentence(edges: EdgeSummary) -> str:
    """What the relation of the change to edges means."""
    if follows_edges(edges):
        return "The change is stronger at edges than elsewhere: the model softened structure, not noise alone."
    if edges.excess < -EDGES:
        return "The change is weaker at edges than elsewhere: the model spares edges, and noise that looks like them."
    return "The change is about as strong at edges as elsewhere, as it would be if only noise were removed."


def large_sentence(edges: EdgeSummary) -> str:
    """What the number of large changes means."""
    share = (
        f"{100 * edges.large:.1f} % of the places changed by more than three standard deviations of the change around them. If "
        f"only noise is removed, this is 0.3 % in most methods and up to 2 % in a median filter"
    )
    if has_many_large(edges):
        return f"{share}, so some of what was removed is probably structure; see the largest changes."
    return f"{share}."


def left_out(
    tissues: Sequence[TissueSummary], possible: Sequence[Tissue], window: tuple[float, float], slices: int, hounsfield: bool
) -> list[str]:
    """Which tissues are missing, and on which the model has no or little effect."""
    present = {row.tissue.name for row in tissues}
    missing = [tissue.label.lower() for tissue in possible if tissue.name not in present]
    rare = [f"{row.tissue.label.lower()} ({row.slices})" for row in tissues if row.slices < slices / 10]
    found = [
        f"No slice has 1,000 pixels of {listed(missing)}." if missing else "",
        f"Few of the {slices} slices have 1,000 pixels of {listed(rare)}." if rare else "",
    ]
    # Thirds of the window are within it by definition, and the fading is said with the window.
    return [*found, *_reach(tissues, window)] if hounsfield else found


def _reach(tissues: Sequence[TissueSummary], window: tuple[float, float]) -> list[str]:
    """Of which tissues the model changes only some values or none, and of which some only in part."""
    low, high = window
    fading = EDGE * (high - low)
    cut = [row for row in tissues if row.tissue.low < low or row.tissue.high > high]
    faded = [row for row in tissues if row not in cut and _fades(row.tissue, low + fading, high - fading)]
    partly = [row for row in cut if row.inside < 1]
    beyond = [row for row in partly if row.tissue.high <= low or row.tissue.low >= high]
    shares = [
        f"{_share(row.inside)} of {'those' if place else 'the values'} of {row.tissue.label.lower()}"
        for place, row in enumerate(partly)
    ]
    return [
        f"Within the window are {listed(shares)}; the others are unchanged." if partly else "",
        SINGLE if any(row.inside > 0 for row in beyond) else "",
        f"The values of {listed([row.tissue.label.lower() for row in faded])} reach to where the change fades out, so part of "
        "them changes less." if faded else "",
    ]  # fmt: skip


def _fades(tissue: Tissue, low: float, high: float) -> bool:
    return tissue.low < low or tissue.high > high


def _share(value: float) -> str:
    """A share in percent, which is 0 or 100 only where it is exactly that."""
    if 0 < value < LEAST:
        return f"less than {100 * LEAST:.1f} %"
    return f"{min(100 * value, 100 * (1 - LEAST)) if value < 1 else 100:.1f} %".replace(".0 %", " %")

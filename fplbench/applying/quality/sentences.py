"""What a quality page says of a scan, in sentences."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fplbench.applying.quality.summary import EdgeSummary, SpectrumSummary, TissueSummary
from fplbench.applying.quality.tissues import SOFT_TISSUE, Tissue
from fplbench.applying.scan import Facts
from fplbench.applying.units import EDGE
from fplbench.networks.card import Card
from fplbench.reporting.sentences import listed

# More than the removal of noise alone gives, uneven, correlated and in steps: tests/applying/quality/test_noise.py.
EDGES = 0.1  # correlation with edges
MANY = 0.03  # share of large changes
Write = Callable[[float], str]


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


def findings(
    tissues: Sequence[TissueSummary],
    spectrum: SpectrumSummary | None,
    edges: EdgeSummary | None,
    write: Write,
) -> list[str]:
    """The main results, one sentence each."""
    found = []
    shown = next((row for row in tissues if row.tissue.name == SOFT_TISSUE and row.noise), None)
    shown = shown or max((row for row in tissues if row.noise), key=lambda row: row.slices, default=None)
    if shown and shown.noise:
        before, after = shown.noise
        found.append(
            f"{shown.tissue.label}: the fine noise went from {write(before)} to {write(after)}{_percent(before, after)}."
        )
    if spectrum:
        before, after = spectrum.deviations
        found.append(
            f"In uniform patches the standard deviation went from {write(before)} to {write(after)}{_percent(before, after)}, at "
            "all frequencies together."
        )
    if tissues:
        most = max(tissues, key=lambda row: abs(row.shift))
        found.append(f"Of the mean values by tissue, that of {most.tissue.label.lower()} moved most: by {write(most.shift)}.")
    if edges:
        found += [edge_sentence(edges), large_sentence(edges)]
    return found


def edge_sentence(edges: EdgeSummary) -> str:
    """What the relation of the change to edges means."""
    if edges.excess > EDGES:
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
    if edges.large > MANY:
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
    return [*found, *_reach([row.tissue for row in tissues], window)] if hounsfield else found


def _reach(tissues: Sequence[Tissue], window: tuple[float, float]) -> list[str]:
    """Of which tissues the model changes no values, only some, or some only in part."""
    low, high = window
    fading = EDGE * (high - low)
    outside = [each for each in tissues if each.high <= low or each.low >= high]
    cut = [each for each in tissues if each not in outside and (each.low < low or each.high > high)]
    faded = [each for each in tissues if each not in outside + cut and (each.low < low + fading or each.high > high - fading)]
    outside_, cut_, faded_ = (listed([each.label.lower() for each in group]) for group in (outside, cut, faded))
    return [
        f"The values of {outside_} are outside the window, and unchanged." if outside else "",
        f"Only part of the values of {cut_} is within the window; the others are unchanged." if cut else "",
        f"The values of {faded_} reach to where the change fades out, so part of them changes less." if faded else "",
    ]


def warning_list(facts: Facts, about: Mapping[str, Any]) -> list[str]:
    """Warnings of the run and notes on the scan, each once."""
    return list(dict.fromkeys([*about.get("warnings", ()), *facts.notes]))


def _percent(before: float, after: float) -> str:
    return f" ({100 * (after / before - 1):+.0f} %)".replace("-", "−") if before > 0 else ""

"""Figure of a published table beside a run: for each noise, the paper's method and the other methods, in both."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fplbench.published import COUNTERPARTS
from fplbench.reporting.lettering import wrapped
from fplbench.reporting.palette import DARK_BLUE, VERMILION
from fplbench.reporting.paper_agreement import PAPERS_METHOD
from fplbench.reporting.paper_cells import Comparison

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 8.0  # inches; at 150 dots per inch the width of a page
ROW = 0.42
SIZE = 8  # of the lettering, points
OFFSET = 0.19  # of the two lines of a noise from its middle
STYLES = {"Published": (DARK_BLUE, -OFFSET, "D"), "This run": (VERMILION, OFFSET, "o")}
AXES = {"psnr": "PSNR (dB); this run's is wrapped", "ssim": "SSIM"}


def draw_comparison(comparison: Comparison, note: str = "") -> "Figure":
    """Draw two panels, PSNR and SSIM, with two lines for each noise: the published values above ours.

    The line spans the other methods, each a tick; the large marker is the paper's method. Markers and places differ as colours
    do, so that the figure can be read in grey.

    Args:
        comparison: what to draw; methods without both values, and noises without any, are left out.
        note: text below the panels.
    """
    from matplotlib.figure import Figure

    noises = [noise for noise in comparison.noises if any(comparison.pairs(metric, noise) for metric in COUNTERPARTS)]
    lines = wrapped(note, WIDTH, SIZE)
    figure = Figure(figsize=(WIDTH, ROW * len(noises) + 1.2 + 0.15 * len(lines)), layout="constrained")
    axes = figure.subplots(1, len(COUNTERPARTS), sharey=True)
    for axis, metric in zip(axes, COUNTERPARTS, strict=True):
        _draw(axis, comparison, metric, noises)
        axis.set_title(f"{comparison.labels.dataset(comparison.dataset)}: {AXES[metric]}", fontsize=SIZE + 1)
    axes[0].set_yticks(range(len(noises)), [comparison.labels.noise(noise) for noise in noises])
    axes[0].set_ylim(len(noises) - 0.5, -0.5)
    figure.legend(*_legend(comparison), loc="outside upper center", ncols=4, fontsize=SIZE, frameon=False)
    if lines:
        figure.supxlabel("\n".join(lines), fontsize=SIZE)
    return figure


def _draw(axis: "Axes", comparison: Comparison, metric: str, noises: Sequence[str]) -> None:
    """One panel. The ticks are higher than the large marker and in front of it, so that it hides none."""
    for place, noise in enumerate(noises):
        if place % 2:
            axis.axhspan(place - 0.5, place + 0.5, color="0.95", linewidth=0, zorder=0)
        pairs = comparison.pairs(metric, noise)
        for side, (colour, offset, marker) in enumerate(STYLES.values()):
            others = [pair[side] for method, pair in pairs.items() if method != PAPERS_METHOD]
            if others:
                axis.plot([min(others), max(others)], [place + offset] * 2, color=colour, linewidth=1.2)
                axis.plot(others, [place + offset] * len(others), "|", color=colour, markersize=10, zorder=3)
            if PAPERS_METHOD in pairs:
                axis.plot(pairs[PAPERS_METHOD][side], place + offset, marker, color=colour, markersize=6)
    axis.grid(axis="x", alpha=0.3)
    axis.tick_params(labelsize=SIZE, length=0)


def _legend(comparison: Comparison) -> tuple[list, list[str]]:
    """Handles and texts of the legend: the paper's method and the others, as published and in this run."""
    from matplotlib.lines import Line2D

    handles, texts = [], []
    reference = comparison.labels.method(PAPERS_METHOD)
    for name, (colour, _, marker) in STYLES.items():
        handles.append(Line2D([], [], color=colour, marker=marker, markersize=6, linestyle=""))
        texts.append(f"{name}: {reference}")
        handles.append(Line2D([], [], color=colour, marker="|", markersize=10, linewidth=1.2))
        texts.append(f"{name}: each other method")
    return handles, texts

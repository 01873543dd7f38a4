"""Figure of where the losses of explanations point, at the output of a denoiser and on the way from there to the clean images."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from fplbench.explaining.alignment import PLACES, RESIDUAL, Alignment
from fplbench.explaining.alignment_table import NO_GRADIENT
from fplbench.reporting.lettering import wrapped
from fplbench.reporting.palette import BLUE, GREEN, ORANGE, PURPLE, SKY_BLUE, VERMILION
from fplbench.reporting.panels import check_picture, save
from fplbench.reporting.sentences import sentences

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, ROW_HEIGHT, LEAST_HEIGHT = 9.0, 0.24, 2.6  # inches
SIZE = 8  # of the lettering, points
COLOURS = (BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY_BLUE)
MARKERS = "os^Dv"  # not as many as colours, so that 30 explanations look different
LEGEND = (
    "Left: cosine between minus the gradient of the loss at the denoised image and the error, clean - denoised; bars are means "
    "over images, dots single images. Right: the same losses, with the same marks, along the line from the denoised image to the "
    "clean one; means over images"
)


def alignment_figure(output: str | os.PathLike[str], found: Mapping[str, Alignment], note: str = "") -> None:
    """Draw the cosine of each explanation's L_FP with the error of denoised images, and its fall on the line to the clean ones.

    Args:
        output: the picture to write; the ending of its name (.png, .pdf, .svg) sets the format.
        found: alignments by name, as `fplbench.explaining.alignment.alignments` returns them.
        note: text below the panels.

    Raises:
        InputError: the name of the picture does not end like one.
    """
    check_picture(output)
    save(draw_alignments(found, note), output)


def draw_alignments(found: Mapping[str, Alignment], note: str = "") -> "Figure":
    """The figure of `alignment_figure`: a row of the left panel and a line of the right one for each explanation."""
    from matplotlib.figure import Figure

    lines = wrapped(sentences(LEGEND, note), WIDTH, SIZE)
    height = max(LEAST_HEIGHT, ROW_HEIGHT * len(found)) + 0.6 + 0.14 * len(lines)
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    bars, falls = figure.subplots(1, 2, width_ratios=(1.25, 1))
    looks = {name: _look(name, number, len(found)) for number, name in enumerate(found)}
    _draw_cosines(bars, found, looks)
    _draw_falls(falls, found, looks)
    for axis in (bars, falls):
        axis.tick_params(labelsize=SIZE)
        axis.grid(alpha=0.3)
        axis.set_axisbelow(True)
    figure.supxlabel("\n".join(lines), fontsize=SIZE)
    return figure


def _draw_cosines(axis: "Axes", found: Mapping[str, Alignment], looks: Mapping[str, Mapping[str, Any]]) -> None:
    for row, (name, each) in enumerate(found.items()):
        cosines = each.cosines[np.isfinite(each.cosines)]
        mean = cosines.mean() if len(cosines) else 0.0
        colour = looks[name]["color"]
        axis.barh(row, mean, height=0.62, color=colour, alpha=0.45)
        # Each image has its own height in all rows, so that its dots can be told apart and followed.
        heights = row + np.linspace(-0.22, 0.22, len(each.cosines))[np.isfinite(each.cosines)]
        axis.plot(cosines, heights, ".", color="0.2", markersize=2.5)
        axis.plot(mean, row, linestyle="none", clip_on=False, zorder=3, **looks[name])
        if not len(cosines):
            axis.annotate(NO_GRADIENT, (0, row), (7, 0), textcoords="offset points", va="center", fontsize=SIZE, color="0.35")
    axis.axvline(0, color="black", linewidth=0.8)
    axis.set_yticks(range(len(found)), [name.replace("_", " ") for name in found], fontsize=SIZE)
    axis.set_ylim(len(found) - 0.4, -0.6)
    axis.set_xlim(right=1.04)
    axis.set_xlabel("Cosine with the error", fontsize=SIZE)


def _draw_falls(axis: "Axes", found: Mapping[str, Alignment], looks: Mapping[str, Mapping[str, Any]]) -> None:
    for name, each in found.items():
        losses = each.losses[np.isfinite(each.losses).all(axis=1)]
        if len(losses):
            axis.plot(PLACES, losses.mean(axis=0), linewidth=2.6 if name == RESIDUAL else 1.1, **looks[name])
    axis.set_xticks(PLACES, ["denoised", "¼", "½", "¾", "clean"])
    axis.set_ylim(bottom=0)
    axis.set_ylabel("Loss, relative to that of the denoised image", fontsize=SIZE)
    axis.set_xlabel("Place on the line", fontsize=SIZE)


def _look(name: str, number: int, total: int) -> dict[str, Any]:
    """Colour and marker of an explanation, larger than those that are drawn over it; the residual loss, the control, is grey."""
    first = (total - 1 - number) / max(1, total - 1)
    size = {"markersize": 3.5 + 3 * first, "markeredgecolor": "white", "markeredgewidth": 0.4}
    if name == RESIDUAL:
        return {"color": "0.6", "marker": "*", **size, "markersize": 11}
    place = number - 1
    return {"color": COLOURS[place % len(COLOURS)], "marker": MARKERS[place % len(MARKERS)], **size}

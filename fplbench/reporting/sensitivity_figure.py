"""Figure of how noise changes the maps of explanations: maps of one image, and the change by explanation and noise."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fplbench.explaining.sensitivity import IMAGE, STATES, Changes, Shown
from fplbench.reporting.labels import Labels
from fplbench.reporting.lettering import readable, wrapped
from fplbench.reporting.palette import BLUE, GREEN, ORANGE, PURPLE, SKY_BLUE, VERMILION
from fplbench.reporting.panels import check_picture, save
from fplbench.reporting.sentences import sentences

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL, BARS_HEIGHT = 1.35, 1.9  # inches
LEAST_WIDTH = 7.0
FEW = 4  # noises whose full names fit side by side
COVERED = 99.5  # percentage of the values of a column that its colours cover
COLOURS = (BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY_BLUE)
HATCHES = ("", "////", "xxxx")  # beyond the number of colours
DIVERGING = "PuOr_r"  # its ends differ in hue for every kind of colour vision, and its middle, 0, is almost white
LEGEND = (
    "Above: one image and its maps; each column has one scale, symmetric about 0 but for the image. Below: change of the maps, "
    "||F(x)-F(clean)||²/||F(clean)||², means over images; the dashed line is the change of the image itself"
)


def sensitivity_figure(
    output: str | os.PathLike[str], found: Changes, shown: Shown, note: str = "", labels: Labels | None = None
) -> None:
    """Draw the maps of one image side by side, and below them how much noise changes the maps of each explanation.

    Args:
        output: the picture to write; the ending of its name (.png, .pdf, .svg) sets the format.
        found: changes by noise, state and explanation.
        shown: the image and its maps.
        note: text below the panels.
        labels: labels of noises.

    Raises:
        InputError: the name of the picture does not end like one.
    """
    check_picture(output)
    save(draw_sensitivity(found, shown, note, labels), output)


def draw_sensitivity(found: Changes, shown: Shown, note: str = "", labels: Labels | None = None) -> "Figure":
    """The figure of `sensitivity_figure`: rows of maps, clean, noisy and denoised, then bars for each state."""
    from matplotlib.figure import Figure

    labels = labels or Labels()
    names, rows = list(shown.maps), len(shown.maps[IMAGE])
    states = [state for state in STATES if any(key[1] == state for key in found)]
    first = shown.maps[IMAGE][0]
    width = max(LEAST_WIDTH, 0.7 + PANEL * len(names))
    size = readable(width, 8)
    lines = wrapped(sentences(LEGEND, note), width, size)
    tall = (PANEL * first.shape[0] / first.shape[1] + 0.05) * rows + 0.5
    below = BARS_HEIGHT * len(states) + 0.5
    figure = Figure(figsize=(width, tall + below + 0.16 * size / 8 * len(lines)), layout="constrained")
    parts: Any = figure.subfigures(2, 1, height_ratios=(tall, below))
    above, under = parts
    _draw_maps(above, shown, names, labels, size)
    axes = under.subplots(len(states), 1, squeeze=False, sharex=True)[:, 0]
    for axis, state in zip(axes, states, strict=True):
        _draw_bars(axis, found, state, names, labels, size)
    handles, texts = axes[0].get_legend_handles_labels()
    under.legend(handles, texts, loc="outside upper center", ncols=len(texts), fontsize=size, frameon=False)
    figure.supxlabel("\n".join(lines), fontsize=size)
    return figure


def _draw_maps(figure: "Figure", shown: Shown, names: Sequence[str], labels: Labels, size: float) -> None:
    rows = len(shown.maps[IMAGE])
    axes = figure.subplots(rows, len(names), squeeze=False)
    titles = ["clean", labels.noise_title(shown.noise), "denoised"]
    for column, name in enumerate(names):
        maps = shown.maps[name]
        bound = float(np.percentile(np.abs(np.concatenate([each.ravel() for each in maps])), COVERED)) or 1.0
        limits = (0.0, 1.0) if name == IMAGE else (-bound, bound)
        for row, each in enumerate(maps):
            axis = axes[row, column]
            axis.imshow(each, cmap="gray" if name == IMAGE else DIVERGING, vmin=limits[0], vmax=limits[1], interpolation="none")
            axis.set(xticks=[], yticks=[])
        scale = "" if name == IMAGE else f"\n±{bound:.2g}"
        axes[0, column].set_title(f"{_label(name)}{scale}", fontsize=size)
    for axis, title in zip(axes[:, 0], titles, strict=False):
        axis.set_ylabel(title, fontsize=size)


def _draw_bars(axis: "Axes", found: Changes, state: str, names: Sequence[str], labels: Labels, size: float) -> None:
    """Bars of all explanations for each noise; the change of the image itself is a dashed line across them."""
    from matplotlib.ticker import LogLocator, NullFormatter

    noises = list(dict.fromkeys(key[0] for key in found))
    bars = [name for name in names if name != IMAGE]
    wide = 0.84 / len(bars)
    for number, name in enumerate(bars):
        places = np.arange(len(noises)) + (number - (len(bars) - 1) / 2) * wide
        means = [_mean_change(found, noise, state, name) for noise in noises]
        colour, hatch = COLOURS[number % len(COLOURS)], HATCHES[number // len(COLOURS) % len(HATCHES)]
        axis.bar(places, means, 0.92 * wide, color=colour, hatch=hatch, edgecolor="white", linewidth=0, label=_label(name))
    for place, noise in enumerate(noises):
        own = _mean_change(found, noise, state, IMAGE)
        axis.plot([place - 0.46, place + 0.46], [own, own], color="black", linestyle=(0, (3, 2)), linewidth=1)
    axis.set_yscale("log")
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 3)))
    axis.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.yaxis.set_minor_formatter(NullFormatter())
    axis.set_ylim(bottom=_bottom(found, state))
    axis.set_ylabel(f"change, {state}", fontsize=size)
    name_of = labels.noise if len(noises) > FEW else labels.noise_title
    axis.set_xticks(range(len(noises)), [name_of(noise) for noise in noises], fontsize=size)
    axis.tick_params(labelsize=size)
    axis.grid(axis="y", alpha=0.3)
    axis.set_axisbelow(True)


def _bottom(found: Changes, state: str) -> float | None:
    """Where the bars start, a little below the least change; None if nothing changes."""
    means = [_mean_change(found, *key) for key in found if key[1] == state]
    return min((mean for mean in means if mean > 0), default=0.0) / 2 or None


def _mean_change(found: Changes, noise: str, state: str, name: str) -> float:
    """Mean over images; NaN where it is not defined, or there are no such images."""
    values = found[noise, state, name].changes if (noise, state, name) in found else np.empty(0)
    kept = values[np.isfinite(values)]
    return float(kept.mean()) if len(kept) else float("nan")


def _label(name: str) -> str:
    return name.replace("_", " ")

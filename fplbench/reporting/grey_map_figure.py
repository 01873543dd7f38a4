"""The grey maps of all methods: what each adds to the grey levels of its images, a panel for each noise."""

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fplbench.denoising.grey_map import LEVELS, SUFFIX, GreyMap, read_grey_map
from fplbench.errors import InputError
from fplbench.reporting.labels import UNPROCESSED, Labels
from fplbench.reporting.lettering import wrapped
from fplbench.reporting.palette import BLUE, GREEN, VERMILION
from fplbench.reporting.panels import check_picture, save
from fplbench.reporting.sentences import sentences

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL_INCHES, LEGEND_INCHES, LINE_INCHES = 1.75, 1.6, 0.17
COLUMNS = 5
DOTS_PER_INCH = 200
# Shades and dashes that differ in grey too.
STYLES: Sequence[Mapping[str, Any]] = (
    {"color": BLUE, "linestyle": "-", "linewidth": 1.6},
    {"color": VERMILION, "linestyle": (0, (5, 1.5)), "linewidth": 1.6},
    {"color": GREEN, "linestyle": (0, (1, 1)), "linewidth": 1.6},
)
UNPROCESSED_STYLE: Mapping[str, Any] = {"color": "black", "linestyle": "-", "linewidth": 1.8, "zorder": 1.5}
OTHER_STYLE: Mapping[str, Any] = {"color": "0.72", "linestyle": "-", "linewidth": 0.7, "zorder": 1.2}
BEST_KNOWN = "dpir"
SIZE = 7.2  # of the lettering, points
LEGEND = "The dotted diagonal changes nothing. A line above it makes the images of the method brighter."
CHOICE = (
    "In colour: {}the two methods whose maps change grey levels the most, on average over the noises; thin and grey: the others."
)


def grey_map_figure(
    output: str | os.PathLike[str],
    folders: Sequence[str | os.PathLike[str]],
    dataset: str = "",
    note: str = "",
    labels: Labels | None = None,
) -> None:
    """Draw the grey maps of a data set: a panel for each noise, in it a line for each method.

    Args:
        output: the picture to write; the ending of its name (.png, .pdf, .svg) sets the format.
        folders: one for each noise, {noise}/, with {method}_grey_map.json; those without a map are left out.
        dataset: name of the data set.
        note: text below the panels.
        labels: labels of the data set, the noises and the methods.

    Raises:
        InputError: a folder is missing, two have the same name, a map is malformed, there is no map at all, or the name of the
            picture does not end like one.
    """
    check_picture(output)
    labels = labels or Labels()
    maps = read_grey_maps(folders)
    where = labels.dataset(dataset) if dataset else ""
    if not maps:
        raise InputError(f"There is no grey map, NAME{SUFFIX}.json, in {', '.join(map(str, folders))}.")
    save(draw_grey_maps(maps, labels, where, note), output, DOTS_PER_INCH)


def read_grey_maps(folders: Sequence[str | os.PathLike[str]]) -> dict[str, dict[str, GreyMap]]:
    """Read the maps of several noises, by noise and method; noises without any are left out.

    Args:
        folders: one for each noise, {noise}/, with {method}_grey_map.json.
    """
    found: dict[str, dict[str, GreyMap]] = {}
    for folder in map(Path, folders):
        if not folder.is_dir():
            raise InputError(f"{folder} is not a folder: name folders with grey maps, such as tuned/lidc/gaussian.")
        if folder.name in found:
            raise InputError(f"Two folders are named {folder.name}: a figure shows one data set, and each noise once.")
        files = sorted(folder.glob(f"*{SUFFIX}.json"))
        found[folder.name] = {file.stem.removesuffix(SUFFIX): read_grey_map(file) for file in files}
    return {noise: maps for noise, maps in found.items() if maps}


def draw_grey_maps(maps: Mapping[str, Mapping[str, GreyMap]], labels: Labels, where: str = "", note: str = "") -> "Figure":
    """Draw a small panel for each noise, and one legend for all.

    Args:
        maps: by noise and method.
        labels: labels of noises and methods.
        where: label of the data set, or "".
        note: text below the panels.
    """
    from matplotlib.figure import Figure

    noises = labels.noises(maps)
    columns = min(COLUMNS, len(noises))
    rows = math.ceil(len(noises) / columns)
    width = columns * PANEL_INCHES + LEGEND_INCHES
    methods = labels.methods({method for found in maps.values() for method in found})
    styles = line_styles(methods, coloured(maps, methods))
    hidden = [method for method, style in styles.items() if style == OTHER_STYLE]
    known = f"{labels.method(BEST_KNOWN)} and " if BEST_KNOWN in methods else ""
    text = sentences(LEGEND, CHOICE.format(known) if hidden else "", note)
    lines = wrapped(text, width, SIZE)
    figure = Figure(figsize=(width, rows * PANEL_INCHES + 0.5 + LINE_INCHES * (len(lines) + 1)), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    for axis, noise in zip(axes.flat, noises, strict=False):
        _draw(axis, maps[noise], styles)
        axis.set_title(labels.noise(noise), fontsize=8)
    for axis in axes.flat[len(noises) :]:
        axis.set_axis_off()
    for axis in axes.flat[max(0, len(noises) - columns) : len(noises)]:
        axis.tick_params(labelbottom=True)  # the lowest panel of each column, which may not be in the last row
    shown = {labels.method(method): style for method, style in styles.items() if method not in hidden}
    shown |= {"others": OTHER_STYLE} if hidden else {}
    handles = [axes[0, 0].plot([], [], label=label, **style)[0] for label, style in shown.items()]
    figure.legend(handles=handles, loc="outside right center", fontsize=SIZE, frameon=False, handlelength=3.2)
    figure.suptitle(": ".join(filter(None, (where, "grey maps"))), fontsize=9, weight="bold")
    figure.supylabel("Grey level after the map", fontsize=8)
    figure.supxlabel("\n".join(["Grey level that the method gives", "", *lines]), fontsize=SIZE)
    return figure


def coloured(maps: Mapping[str, Mapping[str, GreyMap]], methods: Sequence[str]) -> list[str]:
    """The methods that are drawn in colour, in the order of the tables: DPIR and the two whose maps change grey levels the most.

    The change of a method is the mean absolute difference of its map from the identity, over the noises that it has a map of.

    Args:
        maps: by noise and method.
        methods: the methods, in the order of the tables.
    """
    changes = {
        method: np.mean([np.abs(found[method].levels - np.arange(LEVELS)).mean() for found in maps.values() if method in found])
        for method in methods
        if method != BEST_KNOWN and not method.startswith(UNPROCESSED)
    }
    chosen = {BEST_KNOWN, *sorted(changes, key=lambda method: -changes[method])[: len(STYLES) - 1]}
    return [method for method in methods if method in chosen]


def line_styles(methods: Sequence[str], chosen: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """How each method is drawn: chosen ones in a colour of their own, the unprocessed image in black and the others in grey."""
    own = dict(zip(chosen, STYLES, strict=False))
    return {method: own.get(method, UNPROCESSED_STYLE if method.startswith(UNPROCESSED) else OTHER_STYLE) for method in methods}


def _draw(axis: "Axes", maps: Mapping[str, GreyMap], styles: Mapping[str, Mapping[str, Any]]) -> None:
    axis.plot([0, LEVELS - 1], [0, LEVELS - 1], color="0.5", linestyle=":", linewidth=0.8, zorder=1)
    for method, style in styles.items():
        if method in maps:
            axis.plot(np.arange(LEVELS), maps[method].levels, **style)
    axis.set_aspect("equal")
    axis.set_xlim(0, LEVELS - 1)
    axis.set_ylim(0, LEVELS - 1)
    axis.set_xticks([0, 128, 255])
    axis.set_yticks([0, 128, 255])
    axis.tick_params(labelsize=SIZE)

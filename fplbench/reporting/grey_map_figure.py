"""The grey maps of all methods: what each adds to the grey levels of its images, a panel for each noise."""

import math
import os
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fplbench.denoising.grey_map import LEVELS, SUFFIX, GreyMap, read_grey_map
from fplbench.errors import InputError
from fplbench.reporting.labels import UNPROCESSED, Labels
from fplbench.reporting.panels import check_picture, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL_INCHES, LEGEND_INCHES, LINE_INCHES = 1.75, 1.6, 0.17
COLUMNS = 5
LETTERS_PER_INCH = 15  # of the note, at seven points
DOTS_PER_INCH = 200
# Okabe and Ito 2008, which differ for every kind of colour vision; without yellow, which is faint on white. A light one follows
# a dark one, so that methods with the same dashes differ in grey.
COLOURS = ("#E69F00", "#0072B2", "#56B4E9", "#D55E00", "#CC79A7", "#009E73")
DASHES = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (6, 1.5, 1, 1.5)), (0, (3, 1, 1, 1, 1, 1)))  # not as many as colours: 30 looks
SIZE = 7.2  # of the lettering, points
LEGEND = "The dotted diagonal changes nothing. A line above it makes the images of the method brighter."


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
    save(draw_grey_maps(maps, labels, where, f"{LEGEND} {note}".strip()), output, DOTS_PER_INCH)


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
    lines = textwrap.wrap(note, int(LETTERS_PER_INCH * width), break_on_hyphens=False)
    figure = Figure(figsize=(width, rows * PANEL_INCHES + 0.5 + LINE_INCHES * len(lines)), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    styles = line_styles(labels.methods({method for found in maps.values() for method in found}))
    for axis, noise in zip(axes.flat, noises, strict=False):
        _draw(axis, maps[noise], styles)
        axis.set_title(labels.noise(noise), fontsize=8)
    for axis in axes.flat[len(noises) :]:
        axis.set_axis_off()
    for axis in axes.flat[max(0, len(noises) - columns) : len(noises)]:
        axis.tick_params(labelbottom=True)  # the lowest panel of each column, which may not be in the last row
    handles = [axes[0, 0].plot([], [], label=labels.method(method), **style)[0] for method, style in styles.items()]
    figure.legend(handles=handles, loc="outside right center", fontsize=SIZE, frameon=False, handlelength=3.2)
    figure.suptitle(": ".join(filter(None, (where, "grey maps"))), fontsize=9, weight="bold")
    figure.supylabel("Grey level after the map", fontsize=8)
    figure.supxlabel("\n".join(["Grey level that the method gives", *lines]), fontsize=SIZE)
    return figure


def line_styles(methods: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Colour and dashes of each method; the unprocessed image is black and thick, and no two methods look alike."""
    styles: dict[str, dict[str, Any]] = {}
    others = [method for method in methods if method.removesuffix(SUFFIX) != UNPROCESSED]
    for number, method in enumerate(others):
        dashes = DASHES[number % len(DASHES)]
        styles[method] = {"color": COLOURS[number % len(COLOURS)], "linestyle": dashes, "linewidth": 1.2}
    unprocessed = {"color": "black", "linestyle": "-", "linewidth": 1.8, "zorder": 1.5}
    return {method: styles.get(method, unprocessed) for method in methods}


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

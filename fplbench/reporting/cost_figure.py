"""Figure of quality against cost."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from fplbench.errors import InputError
from fplbench.files import read_csv
from fplbench.reporting.columns import is_filter, is_trained
from fplbench.reporting.label_places import label_places
from fplbench.reporting.labels import UNPROCESSED, Labels, heading
from fplbench.reporting.lettering import wrapped
from fplbench.reporting.palette import BLUE, GREEN, VERMILION
from fplbench.reporting.panels import check_picture, literal, save, sentence_figure
from fplbench.reporting.sentences import listed, sentences

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, PANEL_HEIGHT = 8.0, 2.7  # inches
POINTS = 72  # of an inch
SIZE = 8  # of the lettering, points
MARKER = 3.2  # half the side of a mark, points
STEP = 2.0  # between places of labels, points
# Shape and colour of each kind of method; the shapes tell them apart in grey.
KINDS: Mapping[str, Mapping[str, Any]] = {
    "compared": {"marker": "*", "color": VERMILION, "s": 110},
    "networks": {"marker": "s", "color": BLUE, "s": 34},
    "filters": {"marker": "o", "color": "0.45", "s": 34},
    "other programs": {"marker": "^", "color": GREEN, "s": 40},
}
UNPROCESSED_IMAGE = "unprocessed image"
UNTOUCHED: Mapping[str, Any] = {"color": "black", "linestyle": (0, (4, 3)), "linewidth": 0.8}
"""Line of unprocessed images, which take no time."""
BUSY = "Each was measured once for each noise, while other jobs may have run: differences below a factor of about 3 mean nothing"

Points = dict[str, dict[str, tuple[float, float]]]
"""Milliseconds for each image and quality, by data set and method."""


def cost_figure(
    output: str | os.PathLike[str],
    cost: str | os.PathLike[str],
    metric: str = "psnr",
    labels: Labels | None = None,
    reference: str = "fpl",
    note: str = "",
) -> None:
    """Draw quality against cost, over all noises: a panel for each data set, in which each method is a labelled point.

    Unprocessed images take no time and are lines.

    Args:
        output: the picture to write; the ending of its name (.png, .pdf, .svg) sets the format.
        cost: the table that `write_cost` wrote; rows without a time are left out.
        metric: psnr or ssim, for the vertical axis.
        labels: labels of methods and data sets.
        reference: the method that is compared with the others, which has a mark of its own.
        note: text below the panels.

    Raises:
        InputError: the table is missing or is not a table of costs with this metric, or the name of the picture does not end like
            one.
    """
    check_picture(output)
    labels = labels or Labels()
    points = read_points(cost, metric)
    if points:
        figure = draw_costs(points, metric, labels, reference, sentences(measured_on(cost, labels), note))
    else:
        figure = sentence_figure("The time of no method was measured.")
    save(figure, output)


def read_points(cost: str | os.PathLike[str], metric: str) -> Points:
    """The median of the times and the mean of the quality over the noises; the median ignores single slow runs."""
    collected: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for row in read_csv(cost, ("dataset", "method", "seconds_per_image", metric)):
        if row["seconds_per_image"]:
            try:
                place = (1000 * float(row["seconds_per_image"]), float(row[metric]))
            except ValueError as error:
                raise InputError(f"{cost} is not a table of costs: {error}.") from None
            collected.setdefault(row["dataset"], {}).setdefault(row["method"], []).append(place)
    return {
        dataset: {
            method: (float(np.median([time for time, _ in places])), float(np.mean([quality for _, quality in places])))
            for method, places in methods.items()
        }
        for dataset, methods in collected.items()
    }


def measured_on(cost: str | os.PathLike[str], labels: Labels) -> str:
    """On which devices the times were measured, and for which methods they include the start of a program; "" if not known."""
    rows = [row for row in read_csv(cost, ("method", "seconds_per_image")) if row["seconds_per_image"]]
    devices: dict[str, set[str]] = {}
    for row in rows:
        if row.get("device"):
            devices.setdefault(row["device"], set()).add(row["method"])
    where = [
        f"on {'the CPU' if device == 'cpu' else device}" + (f" for {_names(methods, labels)}" if len(devices) > 1 else "")
        for device, methods in sorted(devices.items())
    ]
    whole = {row["method"] for row in rows if row.get("measured") == "command"}
    return sentences(
        f"Times were measured {listed(where)}" if where else "",
        BUSY,
        f"Those of {_names(whole, labels)} include the start of the program" if whole else "",
    )


def draw_costs(points: Points, metric: str, labels: Labels, reference: str = "fpl", note: str = "") -> "Figure":
    """Draw a panel for each data set, below each other, with the same axis of time.

    Args:
        points: milliseconds and quality by data set and method.
        metric: name of the quality.
        labels: labels of methods and data sets.
        reference: the method that is compared with the others.
        note: text below the panels.
    """
    from matplotlib.figure import Figure

    lines = wrapped(note, WIDTH, SIZE)
    figure = Figure(figsize=(WIDTH, PANEL_HEIGHT * len(points) + 0.8 + 0.15 * len(lines)), layout="constrained")
    axes = figure.subplots(len(points), squeeze=False, sharex=True)[:, 0]
    for axis, (dataset, found) in zip(axes, points.items(), strict=True):
        _draw(axis, found, labels, reference)
        axis.set_title(labels.dataset(dataset), fontsize=SIZE + 1, weight="bold", loc="left")
        axis.set_ylabel(f"Mean {heading(metric)}", fontsize=SIZE)
    _set_times(axes[-1])
    kinds = {kind_of(method, reference): method for found in points.values() for method in found}
    marks: list[Any] = [
        axes[0].scatter([], [], label=_kind_label(kind, kinds[kind], labels), **KINDS[kind]) for kind in KINDS if kind in kinds
    ]
    if UNPROCESSED_IMAGE in kinds:
        marks += axes[0].plot([], [], label=UNPROCESSED_IMAGE, **UNTOUCHED)
    figure.legend(handles=marks, loc="outside upper center", ncols=len(marks), fontsize=SIZE, frameon=False)
    figure.supxlabel("\n".join(lines), fontsize=SIZE)
    literal(figure)
    figure.draw_without_rendering()  # the panels get their places, on which those of the labels depend
    figure.set_layout_engine("none")
    for axis, found in zip(axes, points.values(), strict=True):
        _label(axis, {method: found[method] for method in found if not method.startswith(UNPROCESSED)}, labels)
    return figure


def kind_of(method: str, reference: str) -> str:
    """What kind of method it is: a key of `KINDS`, or "unprocessed image"."""
    if method == reference:
        return "compared"
    if method.startswith(UNPROCESSED):
        return UNPROCESSED_IMAGE
    return "networks" if is_trained(method) else "filters" if is_filter(method) else "other programs"


def _kind_label(kind: str, method: str, labels: Labels) -> str:
    return labels.method(method) if kind == "compared" else kind


def _names(methods: set[str], labels: Labels) -> str:
    return listed([labels.method(method) for method in labels.methods(methods)])


def _draw(axis: "Axes", found: Mapping[str, tuple[float, float]], labels: Labels, reference: str) -> None:
    for method in labels.methods(found):
        kind, (_, quality) = kind_of(method, reference), found[method]
        if kind == UNPROCESSED_IMAGE:
            axis.axhline(quality, zorder=1, **UNTOUCHED)
            edge: dict[str, Any] = {
                "xycoords": axis.get_yaxis_transform(),
                "textcoords": "offset points",
                "va": "center",
                "fontsize": SIZE,
            }
            axis.annotate(labels.method(method), (1, quality), (3, 0), **edge)
        else:
            axis.scatter(*found[method], zorder=3, linewidth=0.8, **KINDS[kind])
    axis.set_xscale("log")
    axis.margins(x=0.1, y=0.15)
    axis.grid(alpha=0.25)
    axis.tick_params(labelsize=SIZE)


def _set_times(axis: "Axes") -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.set_xlabel("Milliseconds for one image, median over noises", fontsize=SIZE)


def _label(axis: "Axes", found: Mapping[str, tuple[float, float]], labels: Labels) -> None:
    """Write the name of each method beside its point, with a line where it is not next to it."""
    if not found:
        return
    scale = POINTS / axis.figure.dpi
    area = axis.get_window_extent()
    methods = labels.methods(found)
    places = (axis.transData.transform([found[method] for method in methods]) - area.min) * scale
    sizes = [_size(labels.method(method)) for method in methods]
    centres, lines = label_places(places, sizes, (area.width * scale, area.height * scale), MARKER, STEP)
    for method, place, centre, line in zip(methods, places, centres, lines, strict=True):
        axis.annotate(
            labels.method(method), found[method], centre - place, textcoords="offset points", ha="center", va="center",
            fontsize=SIZE, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0},
            arrowprops={"arrowstyle": "-", "color": "0.5", "linewidth": 0.6, "shrinkA": 0} if line else None,
        )  # fmt: skip


def _size(text: str) -> tuple[float, float]:
    """Width and height of a line of text in points, with a margin."""
    from matplotlib.textpath import TextPath

    return float(TextPath((0, 0), text, size=SIZE).get_extents().width) + 2, SIZE * 1.2

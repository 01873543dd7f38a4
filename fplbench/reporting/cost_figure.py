"""Figure of quality against cost."""

import os
from typing import TYPE_CHECKING

import numpy as np

from fplbench.errors import InputError
from fplbench.files import read_csv
from fplbench.reporting.labels import Labels, heading
from fplbench.reporting.panels import save

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PAGE_INCHES = (7.0, 4.5)
MARKERS = "os^DvPX*"
COLOURS = 20

Points = dict[str, dict[str, tuple[float, float]]]
"""Milliseconds for each image and quality, by data set and method."""


def cost_figure(
    output: str | os.PathLike[str], cost: str | os.PathLike[str], metric: str = "psnr", labels: Labels | None = None
) -> None:
    """Draw quality against cost, with one colour for each method and one marker for each data set, over all noises.

    Args:
        output: the picture to write.
        cost: the table that `write_cost` wrote; rows without a time are left out.
        metric: psnr or ssim, for the vertical axis.
        labels: labels of methods and data sets.

    Raises:
        InputError: the table is missing, or is not a table of costs with this metric.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogFormatter

    points = read_points(cost, metric)
    figure = Figure(figsize=PAGE_INCHES, layout="constrained")
    axes = figure.add_subplot()
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(LogFormatter())
    axes.xaxis.set_minor_formatter(LogFormatter(labelOnlyBase=False))
    axes.set_xlabel("Milliseconds for each image, median over noises")
    axes.set_ylabel(f"Mean {heading(metric)}")
    axes.grid(alpha=0.3)
    if points:
        _draw(axes, points, labels or Labels())
        figure.legend(loc="outside right center", fontsize="small")
    save(figure, output)


def _draw(axes: "Axes", points: Points, labels: Labels) -> None:
    from matplotlib import colormaps

    colours = colormaps["tab20"]
    for number, method in enumerate(labels.methods({method for found in points.values() for method in found})):
        colour = colours(number % COLOURS)
        axes.scatter([], [], color=colour, label=labels.method(method))
        for marker, found in zip(MARKERS, points.values(), strict=False):
            if method in found:
                axes.scatter(*found[method], color=colour, marker=marker)
    for marker, dataset in zip(MARKERS, points, strict=False):
        axes.scatter([], [], color="black", marker=marker, label=labels.dataset(dataset))


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

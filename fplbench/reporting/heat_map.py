"""Heat map of all means of a run: by how much each method improves on the unprocessed image, for each noise."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from fplbench.reporting.labels import METRICS, UNPROCESSED, Labels, heading, in_unit, sign
from fplbench.reporting.lettering import readable, wrapped
from fplbench.reporting.numbered_cells import numbered_cells, written
from fplbench.reporting.panels import check_picture, save
from fplbench.reporting.repeats import read_columns
from fplbench.reporting.scores import NoiseScores, Scores
from fplbench.reporting.sentences import sentences

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

CELL_WIDTH, CELL_HEIGHT = 0.5, 0.24  # inches
LABELS_WIDTH, BAR_WIDTH, LEAST_WIDTH = 1.2, 0.9, 5.0
DOTS_PER_INCH = 200
DIVERGING, SEQUENTIAL = "PuOr", "Blues"
LIMIT_PERCENTILE = 95  # of the sizes of all gains: a few large ones would make all others pale


@dataclass(frozen=True)
class Means:
    """Means over images in one data set.

    Attributes:
        noises: the rows, in the order of the tables.
        methods: the columns; the unprocessed image is the first if gains are shown.
        values: float (M, N) for M noises and N methods; NaN where a method was not scored.
        gains: whether the values are compared with those of the first column.
    """

    noises: Sequence[str]
    methods: Sequence[str]
    values: np.ndarray
    gains: bool

    @property
    def shown(self) -> np.ndarray:
        """What the colours show, (M, N): the values, or the gains, with NaN in the first column."""
        if not self.gains:
            return self.values
        gains = self.values - self.values[:, :1]
        gains[:, 0] = np.nan
        return gains

    def best(self, metric: str) -> list[tuple[int, int]]:
        """Row and column of the best value of each row; several of a row if they tie."""
        signed = sign(metric) * self.values
        return [(int(row), int(column)) for row, column in np.argwhere(signed == np.nanmax(signed, axis=1, keepdims=True))]


def heat_map(
    output: str | os.PathLike[str],
    scores: str | os.PathLike[str],
    metric: str = "psnr",
    note: str = "",
    labels: Labels | None = None,
) -> None:
    """Draw the mean gain of each method over the unprocessed image, a panel for each data set and a row for each noise.

    Where the unprocessed image was not scored on every noise, the means themselves are shown.

    Args:
        output: the picture to write; the ending of its name (.png, .pdf, .svg) sets the format.
        scores: long table of scores.
        metric: psnr or ssim.
        note: text below the panels.
        labels: labels of data sets, noises and methods.

    Raises:
        InputError: the scores are missing or malformed, or the name of the picture does not end like one.
    """
    check_picture(output)
    save(draw_heat_map(read_columns(scores), metric, note, labels or Labels()), output, DOTS_PER_INCH)


def read_means(scores: Scores, metric: str, labels: Labels) -> dict[str, Means]:
    """Means of a metric by data set, with the same columns in all of them."""
    cells = [found.values[metric] for noises in scores.values() for found in noises.values()]
    methods = labels.methods({method for cell in cells for method in cell})
    gains = all(UNPROCESSED in cell for cell in cells) and len(methods) > 1
    return {dataset: _means(noises, methods, metric, labels, gains) for dataset, noises in scores.items()}


def _means(noises: Mapping[str, NoiseScores], methods: Sequence[str], metric: str, labels: Labels, gains: bool) -> Means:
    rows = labels.noises(noises)
    means = [
        [values[method].mean() if method in values else np.nan for method in methods]
        for values in (noises[noise].values[metric] for noise in rows)
    ]
    return Means(rows, methods, np.array(means), gains)


def draw_heat_map(scores: Scores, metric: str, note: str, labels: Labels) -> "Figure":
    """Draw a panel for each data set, below each other and in the same colours.

    Args:
        scores: by data set and noise.
        metric: which score.
        note: text below the panels.
        labels: labels of data sets, noises and methods.
    """
    from matplotlib.figure import Figure

    means = read_means(scores, metric, labels)
    first = next(iter(means.values()))
    width = max(LEAST_WIDTH, LABELS_WIDTH + CELL_WIDTH * len(first.methods) + BAR_WIDTH)
    size = readable(width)
    lines = wrapped(sentences(_legend(metric, first.gains), note), width, size)
    heights = [len(found.noises) for found in means.values()]
    height = (CELL_HEIGHT * sum(heights) + 0.35 * len(heights) + 1.4 + 0.14 * len(lines)) * size / 7
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(len(means), squeeze=False, sharex=True, height_ratios=heights)[:, 0]
    limits = colour_limits(means.values())
    for axis, (dataset, found) in zip(axes, means.items(), strict=True):
        picture = _draw(axis, found, metric, limits, size)
        axis.set_title(labels.dataset(dataset), fontsize=size + 1, weight="bold", loc="left")
        axis.set_yticks(range(len(found.noises)), [labels.noise(name) for name in found.noises], fontsize=size)
    axes[-1].set_xticks(range(len(first.methods)), _headings(first, metric, labels), rotation=90, fontsize=size)
    bar = figure.colorbar(picture, ax=list(axes), extend="both" if first.gains else "neither", aspect=50, fraction=0.05)
    bar.set_label(f"Gain in mean {heading(metric)}" if first.gains else f"Mean {heading(metric)}", fontsize=size)
    bar.ax.tick_params(labelsize=size)
    figure.supxlabel("\n".join(lines), fontsize=size)
    return figure


def colour_limits(means: Iterable[Means]) -> tuple[float, float]:
    """Values at the ends of the colour map: symmetric about no gain, or the lowest and the highest mean."""
    found = list(means)
    values = np.concatenate([each.shown.ravel() for each in found])
    if not found[0].gains:
        return float(np.nanmin(values)), float(np.nanmax(values))
    limit = float(np.nanpercentile(np.abs(values), LIMIT_PERCENTILE)) or 1.0
    return -limit, limit


def signed(value: float, digits: int) -> str:
    """A gain with its sign; without one, if it is rounded to zero."""
    text = f"{value:+.{digits}f}"
    return text if float(text) else text[1:]


def _draw(axis: "Axes", means: Means, metric: str, limits: tuple[float, float], size: float) -> "AxesImage":
    """A panel; the best of each row is bold and framed."""
    from matplotlib.patches import Rectangle

    digits = 1 if METRICS[metric].unit == "dB" else 2  # fewer than in the tables, as cells are small
    words = written(means.shown, partial(signed, digits=digits) if means.gains else f"{{:.{digits}f}}".format)
    if means.gains:
        words[:, 0] = written(means.values[:, 0], f"{{:.{digits}f}}".format)
        axis.axvline(0.5, color="black", linewidth=1)
    picture = numbered_cells(axis, means.shown, words, limits, DIVERGING if means.gains else SEQUENTIAL, size)
    texts = np.array(axis.texts, object).reshape(words.shape)
    for row, column in means.best(metric):
        text = texts[row, column]
        text.set_weight("bold")
        corner = (column - 0.46, row - 0.43)
        axis.add_patch(Rectangle(corner, 0.92, 0.86, fill=False, edgecolor=text.get_color(), linewidth=1.2))
    return picture


def _headings(means: Means, metric: str, labels: Labels) -> list[str]:
    words = [labels.method(name) for name in means.methods]
    return [f"{words[0]}{in_unit(metric)}", *words[1:]] if means.gains else words


def _legend(metric: str, gains: bool) -> str:
    """What the cells show."""
    if not gains:
        return f"Mean {heading(metric)} of the test images. Bold and framed: the best of a row. –: not scored."
    name = METRICS[metric].label
    return (
        f"First column: mean {name} of the unprocessed images. Others: by how much a method raises (+, violet) or lowers "
        f"(−, orange) it. Bold and framed: the best of a row, the unprocessed image included. –: not scored."
    )

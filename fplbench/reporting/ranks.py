"""Ranks of all methods over the rows of a run, and how many rows each wins."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fplbench.datasets.annotations import count
from fplbench.errors import InputError
from fplbench.reporting.labels import METRICS, Labels, sign
from fplbench.reporting.lettering import readable, wrapped
from fplbench.reporting.palette import BLUE
from fplbench.reporting.panels import check_picture, save
from fplbench.reporting.repeats import read_columns
from fplbench.reporting.scores import NoiseScores, Scores
from fplbench.reporting.sentences import listed, sentences
from fplbench.reporting.verdicts import SAME_MODEL
from fplbench.reporting.wins import row_groups

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHOWN = ("psnr", "ssim")
RANK_WIDTH, METHOD_HEIGHT = 0.27, 0.4  # inches
LABELS_WIDTH, NUMBERS_WIDTH, LEAST_WIDTH = 1.2, 1.0, 4.0
BAR_WIDTH = 0.42  # in ranks: methods that tie have half ranks, whose bars lie between the others
BAR_HEIGHT = 0.62  # of the longest bar, in rows
DOTS_PER_INCH = 200
NO_DIAGRAM = (
    "The rows are not independent: they are the same images under different noises. A critical-difference diagram, whose test "
    "takes them as independent, would claim too much and is not drawn"
)


@dataclass(frozen=True)
class Ranks:
    """Ranks of methods in the rows of a run, from 1, the best; methods that tie have the mean of their ranks.

    Attributes:
        rows: data set and noises of each of the N rows; noises that are the same model are one row.
        ranks: float (N,) by method. In a row of several noises it is the worse of the method's ranks.
        won: number of rows in which no method is better, by method. A row of several noises is won only if all of them are.
        left_out: methods that were not scored in every row, which have no rank.
    """

    rows: Sequence[tuple[str, tuple[str, ...]]]
    ranks: Mapping[str, np.ndarray]
    won: Mapping[str, int]
    left_out: Sequence[str] = ()


def rank_figure(
    output: str | os.PathLike[str], scores: str | os.PathLike[str], note: str = "", labels: Labels | None = None
) -> None:
    """Draw how often each method has which rank, by PSNR and by SSIM, over all data sets and noises.

    Args:
        output: the picture to write; the ending of its name (.png, .pdf, .svg) sets the format.
        scores: long table of scores.
        note: text below the panels.
        labels: labels of noises and methods.

    Raises:
        InputError: the scores are missing or malformed, no method was scored on every noise, or the name of the picture does not
            end like one.
    """
    check_picture(output)
    save(draw_ranks(read_columns(scores), note, labels or Labels()), output, DOTS_PER_INCH)


def count_ranks(scores: Scores, metric: str) -> Ranks:
    """Rank the methods by their mean score in each row.

    Args:
        scores: by data set and noise.
        metric: a score of which one end is better.

    Raises:
        InputError: no method was scored in every row.
    """
    rows = [(dataset, group) for dataset, noises in scores.items() for group in row_groups(noises)]
    values = [found.values[metric] for noises in scores.values() for found in noises.values()]
    everywhere = [method for method in values[0] if all(method in each for each in values)]
    if not everywhere:
        raise InputError("No method was scored on every noise of every data set, so that there are no ranks to compare.")
    ranks = {(dataset, noise): _rank(found, everywhere, metric) for dataset in scores for noise, found in scores[dataset].items()}
    best = {cell: found == found.min() for cell, found in ranks.items()}
    worst = np.array([np.max([ranks[dataset, noise] for noise in group], axis=0) for dataset, group in rows])
    won = np.array([np.all([best[dataset, noise] for noise in group], axis=0) for dataset, group in rows]).sum(axis=0)
    return Ranks(
        rows,
        dict(zip(everywhere, worst.T, strict=True)),
        dict(zip(everywhere, won.tolist(), strict=True)),
        sorted({method for each in values for method in each} - set(everywhere)),
    )


def _rank(found: NoiseScores, methods: Sequence[str], metric: str) -> np.ndarray:
    from scipy.stats import rankdata

    return rankdata([-sign(metric) * found.values[metric][method].mean() for method in methods])


def draw_ranks(scores: Scores, note: str, labels: Labels) -> "Figure":
    """Draw a panel for PSNR and one for SSIM, with a row for each method, those of the best mean rank by PSNR first.

    Args:
        scores: by data set and noise.
        note: text below the panels.
        labels: labels of noises and methods.
    """
    from matplotlib.figure import Figure

    found = {metric: count_ranks(scores, metric) for metric in SHOWN}
    first = found[SHOWN[0]]
    methods = sorted(labels.methods(first.ranks), key=lambda method: first.ranks[method].mean())
    panel = max(LEAST_WIDTH, RANK_WIDTH * len(methods) + NUMBERS_WIDTH)
    width = LABELS_WIDTH + len(found) * panel
    size = readable(width)
    lines = wrapped(_legend(first, note, labels), width, size)
    height = (METHOD_HEIGHT * len(methods) + 0.14 * len(lines)) * size / 7 + 1.2
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(1, len(found), sharey=True)
    for axis, (metric, ranks) in zip(axes, found.items(), strict=True):
        _draw(axis, ranks, methods, size)
        axis.set_title(f"Rank by mean {METRICS[metric].label} in {count(len(ranks.rows), 'row')}", fontsize=size + 1, loc="left")
    axes[0].set_yticks(range(len(methods)), [labels.method(method) for method in methods], fontsize=size)
    figure.supxlabel("\n".join(lines), fontsize=size)
    return figure


def _draw(axis: "Axes", found: Ranks, methods: Sequence[str], size: float) -> None:
    """A small bar chart of the ranks of each method; beside it the mean rank and the number of rows won."""
    most = max(np.unique(ranks, return_counts=True)[1].max() for ranks in found.ranks.values())
    end = len(methods)
    columns = {"mean": end + 0.6 + size / 7, "won": end + 0.9 + 2.1 * size / 7}
    for place, method in enumerate(methods):
        base = place + BAR_HEIGHT / 2
        for rank, number in zip(*np.unique(found.ranks[method], return_counts=True), strict=True):
            height = BAR_HEIGHT * number / most
            axis.bar(rank, -height, BAR_WIDTH, base, color=BLUE if rank == 1 else "0.6", edgecolor="black", linewidth=0.4)
            axis.text(rank, base - height - 0.02, str(number), ha="center", va="bottom", fontsize=size)
        axis.axhline(base, color="0.8", linewidth=0.6, zorder=0)
        mean = found.ranks[method].mean()
        axis.plot(mean, base + 0.08, "^", color="black", markersize=4, clip_on=False)
        axis.text(columns["mean"], place, f"{mean:.1f}", ha="right", va="center", fontsize=size)
        axis.text(columns["won"], place, str(found.won[method]), ha="right", va="center", fontsize=size, weight="bold")
    for heading, x in columns.items():
        axis.text(x, -0.75, heading, ha="right", va="center", fontsize=size)
    axis.set_xlim(0.4, columns["won"] + 0.2)
    axis.set_ylim(len(methods) - 0.4, -1)
    axis.set_xticks(range(1, end + 1))
    axis.tick_params(labelsize=size, length=0)
    axis.spines[:].set_visible(False)


def _legend(found: Ranks, note: str, labels: Labels) -> str:
    """How rows are counted, and why there is no test."""
    together = any(len(group) > 1 for _, group in found.rows)
    names = listed([labels.noise_title(noise) for noise in SAME_MODEL])
    missing = listed([labels.method(method) for method in labels.methods(found.left_out)])
    return sentences(
        "A row is a data set and a noise. Bars count the rows in which a method has a rank, 1 being the best, and the triangle "
        "is the mean rank. Methods that tie have the mean of their ranks, and win together",
        f"{names} are the same model at two levels and count as one row: its rank is the worse of the two, and it is won only "
        "if both are"
        if together
        else "",
        f"Without a rank, as they were not scored in every row: {missing}" if missing else "",
        NO_DIAGRAM,
        note,
    )

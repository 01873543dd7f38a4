"""Heat map of how much of the lesions' contrast each method keeps on each noise."""

import os
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from fplbench.datasets.annotations import count
from fplbench.reporting.labels import Labels
from fplbench.reporting.lesion_scores import RECOVERY, LesionScores, read_lesion_scores
from fplbench.reporting.lettering import readable, wrapped
from fplbench.reporting.numbered_cells import numbered_cells, written
from fplbench.reporting.panels import check_picture, save, sentence_figure
from fplbench.reporting.sentences import sentences

if TYPE_CHECKING:
    from matplotlib.figure import Figure

METRIC = "contrast_recovery"
CELL_WIDTH, CELL_HEIGHT = 0.46, 0.26  # inches
LABELS_WIDTH, BAR_WIDTH, LEAST_WIDTH = 1.1, 1.0, 2.2  # the least: of all maps together
DOTS_PER_INCH = 200
LIMITS = (0, 2)
COLOURS = "PuOr"  # its ends differ in hue for every kind of colour vision, and its middle is almost white
LEGEND = (
    f"Contrast recovery: {RECOVERY}. 1: kept; below 1: the lesion fades (orange); above 1: it is exaggerated (violet). "
    "–: not scored."
)

Found = Mapping[str, LesionScores]


def recovery_figure(
    output: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    noises: Sequence[str],
    dataset: str = "",
    note: str = "",
    labels: Labels | None = None,
    persons_known: bool = True,
) -> None:
    """Draw the mean contrast recovery of each method on each noise: real lesions, and beside them inserted ones.

    Where no lesion has a contrast recovery, the picture is one sentence that says so.

    Args:
        output: the picture to write; the ending of its name (.png, .pdf, .svg) sets the format.
        folder: folder with the lesion scores of a data set, {noise}.csv.
        noises: the noises; those without scores are left out.
        dataset: name of the data set.
        note: text below the map.
        labels: labels of the data set, the noises and the methods.
        persons_known: whether it is known which images show the same person; if not, nothing is said about patients.

    Raises:
        InputError: scores are malformed, or the name of the picture does not end like one.
    """
    check_picture(output)
    labels = labels or Labels()
    parts = {}
    for kind, inserted in (("annotated", False), ("inserted", True)):
        found = read_lesion_scores(folder, noises, inserted)
        scored = {noise: scores for noise, scores in found.items() if METRIC in scores.blocks}
        if scored:
            parts[kind] = scored
    where = labels.dataset(dataset) if dataset else ""
    if parts:
        figure = draw_recoveries(parts, labels, where, sentences(LEGEND, _unscored(parts), note), persons_known)
    else:
        start = f"{where}: no" if where else "No"
        figure = sentence_figure(f"{start} test image has a lesion whose contrast could be scored.")
    save(figure, output, DOTS_PER_INCH)


def recovery_matrix(found: Found, methods: Sequence[str], noises: Sequence[str]) -> np.ndarray:
    """Mean contrast recovery over patients, or over the lesions of one patient.

    Args:
        found: scores of lesions by noise.
        methods: the rows, M of them.
        noises: the columns, N of them.

    Returns:
        float (M, N); NaN where a method was not scored.
    """
    matrix = np.full((len(methods), len(noises)), np.nan)
    for column, noise in enumerate(noises):
        values = found[noise].blocks[METRIC].values[METRIC]
        for row, method in enumerate(methods):
            if method in values:
                matrix[row, column] = values[method].mean()
    return matrix


def draw_recoveries(
    parts: Mapping[str, Found], labels: Labels, where: str = "", note: str = "", persons_known: bool = True
) -> "Figure":
    """Draw a heat map for each kind of lesions beside each other, in the same colours.

    Args:
        parts: scores by kind (annotated or inserted) and noise.
        labels: labels of noises and methods.
        where: label of the data set, or "".
        note: text below the maps.
        persons_known: whether to say how many patients have such lesions.
    """
    from matplotlib.figure import Figure

    scored = [scores.blocks[METRIC].values[METRIC] for found in parts.values() for scores in found.values()]
    methods = labels.methods({method for values in scored for method in values})
    noises = {kind: labels.noises(found) for kind, found in parts.items()}
    widths = [max(CELL_WIDTH * len(names), LEAST_WIDTH / len(parts)) for names in noises.values()]
    width = LABELS_WIDTH + sum(widths) + 0.15 * len(widths) + BAR_WIDTH
    size = readable(width)
    lines = wrapped(note, width, size)
    titles = [
        wrapped(_title(kind, found, persons_known), own, size + 1)
        for (kind, found), own in zip(parts.items(), widths, strict=True)
    ]
    height = CELL_HEIGHT * len(methods) + 1.2 + 0.13 * size / 7 * (len(lines) + max(map(len, titles)))
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(1, len(parts), squeeze=False, sharey=True, width_ratios=widths)[0]
    for axis, (kind, found), title in zip(axes, parts.items(), titles, strict=True):
        matrix = recovery_matrix(found, methods, noises[kind])
        picture = numbered_cells(axis, matrix, written(matrix, "{:.2f}".format), LIMITS, COLOURS, size)
        axis.set_title("\n".join(title), fontsize=size + 1)
        axis.set_xticks(range(len(noises[kind])), [labels.noise(name) for name in noises[kind]], rotation=90, fontsize=size)
    axes[0].set_yticks(range(len(methods)), [labels.method(name) for name in methods], fontsize=size)
    bar = figure.colorbar(picture, ax=list(axes), extend="both", aspect=30)
    bar.set_label("Contrast recovery", fontsize=size)
    bar.ax.tick_params(labelsize=size)
    if where:
        figure.suptitle(f"{where}: contrast recovery of lesions", fontsize=size + 2, weight="bold")
    figure.supxlabel("\n".join(lines), fontsize=size)
    return figure


def _title(kind: str, found: Found, persons_known: bool) -> str:
    """How many lesions there are: of the noise with the most, as a run may not have scored all."""
    most = max(found.values(), key=lambda scores: scores.lesions)
    text = f"{count(most.lesions, f'{kind} lesion')} in {count(most.images, 'image')}"
    text += f" of {count(most.patients, 'patient')}" if persons_known else ""
    return re.sub(r"(\d) ", "\\1\xa0", text)  # no line ends between a number and its noun


def _unscored(parts: Mapping[str, Found]) -> str:
    """How many outlines, which are lesions in one image, have no contrast recovery."""
    numbers = {kind: max(scores.unscored for scores in found.values()) for kind, found in parts.items()}
    words = [f"{count(number, 'outline')} of {kind} lesions" for kind, number in numbers.items() if number]
    return f"Left out, as too small or too faint in the clean image: {', '.join(words)}" if words else ""

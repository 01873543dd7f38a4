"""Generalisation: models trained on one data set or noise and applied to the others, as two matrices."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from fplbench.errors import InputError
from fplbench.files import write_csv
from fplbench.reporting.facts import Facts, read_all_facts
from fplbench.reporting.labels import METRICS, UNPROCESSED, Labels, heading, in_unit
from fplbench.reporting.labels import sign as sign_of
from fplbench.reporting.panels import save
from fplbench.reporting.scores import NoiseScores, Scores, read_scores
from fplbench.reporting.statistics import MINIMUM_UNITS, bootstrap_means, interval
from fplbench.seeds import generator

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

WIDE = 6
Across = Literal["dataset", "noise"]


@dataclass(frozen=True)
class Entry:
    """One cell of a matrix.

    Attributes:
        group: the data set of a matrix of noises; "" for the matrix of data sets.
        trained: the data set or noise that the model was trained on.
        applied: the data set or noise that it was applied to.
        metric: name of the metric.
        mean: the score.
        low: lower end of its 95 % interval; None where there are too few units for one.
        high: upper end.
        gain: by how much the output is better than the unprocessed image; None if that was not scored, or if neither end of the
            metric is better.
        unit: what the interval is over: patients, or what stands for them where persons are not known, such as images.
        units: their number.
    """

    group: str
    trained: str
    applied: str
    metric: str
    mean: float
    low: float | None
    high: float | None
    gain: float | None
    unit: str
    units: int


def entries(scores: Scores, across: Across, seed: int, facts: Mapping[str, Facts] | None = None) -> Iterator[Entry]:
    """Entries of the matrices.

    Args:
        scores: scores by the data set and noise that the models were applied to. Methods are named by the data set or noise
            that the model was trained on; `noisy` is the unprocessed image.
        across: `dataset` for one matrix of data sets, whose entries are means over the noises; `noise` for one matrix of
            noises for each data set.
        seed: seed of the bootstrap over patients.
        facts: what the sampling says about the data sets that the models were applied to.
    """
    for dataset, noises in scores.items():
        unit = (facts or {}).get(dataset, Facts()).units
        if across == "dataset":
            yield from _entries("", dataset, list(noises.values()), unit, (seed, dataset))
        else:
            for noise, found in noises.items():
                yield from _entries(dataset, noise, [found], unit, (seed, dataset))


def figure(found: Sequence[Entry], metric: str, labels: Labels) -> "Figure":
    """Matrices of one metric below each other. Rows: trained on; columns: applied to; colour: gain over unprocessed."""
    from matplotlib.figure import Figure

    groups = list(dict.fromkeys(entry.group for entry in found))
    trained = _ordered(labels, {entry.trained for entry in found})
    applied = _ordered(labels, {entry.applied for entry in found})
    size = (max(2.5 + 0.5 * len(applied), 5), max(1 + 0.36 * len(trained), 2.8) * len(groups) + 0.8)
    drawing = Figure(figsize=size, layout="constrained")
    axes = drawing.subplots(len(groups), 1, squeeze=False, sharex=True)[:, 0]
    limit = max((abs(entry.gain) for entry in found if entry.metric == metric and entry.gain is not None), default=1) or 1
    for axis, group in zip(axes, groups, strict=True):
        cells = {(e.trained, e.applied): e for e in found if (e.group, e.metric) == (group, metric)}
        picture = _draw(axis, cells, trained, applied, limit, METRICS[metric].digits - (len(applied) > WIDE))
        axis.set_title(", ".join(filter(None, (labels.dataset(group), heading(metric)))), fontsize=10)
        axis.set_yticks(range(len(trained)), [_label(labels, name) for name in trained], fontsize=8)
        axis.set_ylabel("trained on")
    axes[-1].set_xticks(range(len(applied)), [_label(labels, name) for name in applied], rotation=90, fontsize=8)
    axes[-1].set_xlabel("applied to")
    drawing.colorbar(picture, ax=axes, aspect=40, label=f"better than unprocessed{in_unit(metric)}")
    return drawing


def write_generalisation(
    path: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    across: Across,
    seed: int,
    labels: Labels | None = None,
    data: str | os.PathLike[str] | None = None,
) -> None:
    """Write generalisation_{across}.csv and, for the PSNR, generalisation_{across}.png.

    Args:
        path: long table of scores; see `entries` for the names of its methods.
        folder: folder for the files.
        across: `dataset` or `noise`.
        seed: seed of the bootstrap.
        labels: labels of data sets and noises.
        data: folder with {dataset}/sampling.json, which says whether persons are known; None assumes that they are.

    Raises:
        InputError: as for `read_scores`, or the noises of a data set were scored on different images.
    """
    scores = read_scores(path)
    found = list(entries(scores, across, seed, read_all_facts(data, scores)))
    folder = Path(folder)
    rows = ({key: "" if value is None else value for key, value in vars(entry).items()} for entry in found)
    write_csv(folder / f"generalisation_{across}.csv", rows)
    save(figure(found, "psnr", labels or Labels()), folder / f"generalisation_{across}.png")


def _entries(group: str, applied: str, noises: Sequence[NoiseScores], unit: str, axes: tuple[int, str]) -> Iterator[Entry]:
    """Entries of one column of a matrix; images that a metric is not defined for are left out."""
    seed, dataset = axes
    patients = noises[0].patients
    if any(noise.patients != patients for noise in noises):
        raise InputError(f"The noises of {dataset} were scored on different images; score all of them on the same test images.")
    for metric in noises[0].values:
        if not all(metric in noise.values for noise in noises):
            continue
        methods = list(noises[0].values[metric])
        values = np.mean([[noise.values[metric][method] for method in methods] for noise in noises], axis=0)
        kept = ~np.isnan(values).any(axis=0)
        values, found = values[:, kept], [patient for patient, keep in zip(patients, kept, strict=True) if keep]
        if not found:
            continue
        count = len(set(found))
        ends = []
        if count >= MINIMUM_UNITS:
            draws = bootstrap_means(values, found, generator(seed, "generalisation", dataset))
            ends = interval(draws, count).T.tolist()
        mean = dict(zip(methods, values.mean(axis=1).tolist(), strict=True))
        for i, method in enumerate(methods):
            low, high = ends[i] if ends else (None, None)
            sign = sign_of(metric)
            gain = sign * (mean[method] - mean[UNPROCESSED]) if sign and UNPROCESSED in mean else None
            yield Entry(group, method, applied, metric, mean[method], low, high, gain, unit, count)


def _draw(
    axis: "Axes",
    cells: Mapping[tuple[str, str], Entry],
    trained: list[str],
    applied: list[str],
    limit: float,
    digits: int,
) -> "AxesImage":
    colours = np.full((len(trained), len(applied)), np.nan)
    for row, name in enumerate(trained):
        for column, target in enumerate(applied):
            cell = cells.get((name, target))
            if cell is None:
                continue
            colours[row, column] = 0 if cell.gain is None else cell.gain
            weight = "bold" if name == target else "normal"
            axis.text(column, row, f"{cell.mean:.{digits}f}", ha="center", va="center", fontsize=7, weight=weight)
    return axis.imshow(colours, cmap=_pale(), vmin=-limit, vmax=limit, aspect="auto")


def _pale() -> "Colormap":
    """The middle of a diverging colour map; numbers could not be read on its dark ends."""
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap

    return ListedColormap(colormaps["PRGn"](np.linspace(0.2, 0.8, 256)))


def _label(labels: Labels, name: str) -> str:
    if name == UNPROCESSED:
        return labels.method(name)
    noise = labels.noise(name)
    return labels.dataset(name) if noise == name else noise


def _ordered(labels: Labels, names: Iterable[str]) -> list[str]:
    """Names in alphabetical order of their labels, the unprocessed image last."""
    return sorted(names, key=lambda name: (name == UNPROCESSED, _label(labels, name).casefold()))

"""Figure of training logs: losses, gradient norms, score, learning rate, speed and memory at each step."""

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fplbench.errors import InputError
from fplbench.files import read_csv
from fplbench.reporting.labels import Labels
from fplbench.reporting.lettering import wrapped
from fplbench.reporting.palette import BLUE, GREEN, ORANGE, PURPLE, SKY_BLUE, VERMILION
from fplbench.reporting.panels import save
from fplbench.reporting.sentences import listed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

SCORE = "validation_psnr"
# Title, prefix of the columns, and whether the axis is logarithmic.
PANELS = (
    ("Loss", "loss_", True),
    ("Norm of the weighted term's gradient", "gradient_norm_", True),
    ("Cosine of the descent of L_FP with the error", "cosine_", False),
    ("Gradient of L_FP over that of L_res, at the image", "gradient_ratio_", True),
    ("Weight of L_FP that holds their ratio", "feature_weight", True),
    ("PSNR of validation images (dB)", SCORE, False),
    ("Dice of validation images", "validation_dice", False),
    ("Learning rate", "learning_rate", False),
    ("Images per second", "images_per_second", False),
    ("Peak memory (MiB)", "peak_memory_mb", False),
)
STYLES = ("-", "--", ":", "-.")
COLOURS = (BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY_BLUE)
MARKERS = "os^Dv"  # not as many as colours, so that 30 logs look different
MARKERS_OF_A_LINE = 12
COLUMNS, WIDTH, PANEL_HEIGHT = 3, 9.6, 2.5  # inches
SIZE = 8  # of the lettering, points
PLACE: Mapping[str, Any] = {"loc": "outside upper center", "ncols": 5, "fontsize": SIZE, "frameon": False}  # of the legend

Log = dict[str, np.ndarray]


def training_figure(
    output: str | os.PathLike[str],
    paths: Sequence[str | os.PathLike[str]],
    note: str = "",
    labels: Labels | None = None,
) -> None:
    """Draw training logs in the same axes, with one colour and marker for each log and one line style for each term of the loss.

    Args:
        output: the picture to write.
        paths: training logs, .csv files with a column `step` and columns as in `PANELS`. The parts of their paths that differ
            name them in the legend; the method and the noise, {noise}/{method}.csv, are the title where they are the same.
        note: text below the panels.
        labels: labels of data sets, noises and methods.

    Raises:
        InputError: a log is missing, empty or not a table of numbers.
    """
    labels = labels or Labels()
    logs = {name: read_log(path) for name, path in zip(log_names(paths), paths, strict=True)}
    save(draw_training(logs, log_title(paths, labels), note, labels), output)


def draw_training(logs: Mapping[str, Log], title: str = "", note: str = "", labels: Labels | None = None) -> "Figure":
    """Draw logs by name: a panel for each quantity that any of them has, and one legend.

    The score of validation images has a panel where it was measured more than once, and else is in the legend.

    Args:
        logs: columns of each log.
        title: text above the panels.
        note: text below them.
        labels: labels of data sets.

    Raises:
        InputError: none of them has any.
    """
    from matplotlib.figure import Figure

    steps = np.concatenate([log["step"] for log in logs.values()])
    margin = 0.05 * float(np.ptp(steps)) or 1.0
    panels = [panel for panel in PANELS if _terms(logs, panel[1])]
    if not panels:
        raise InputError(f"{listed(list(logs))}: there are no losses, scores or speeds: name training logs, such as fpl.csv.")
    scored = {name: _scores(log) for name, log in logs.items()}
    names = {name: (labels or Labels()).dataset(name) for name in logs}
    others = [panel for panel in panels if panel[1] != SCORE]
    if others and all(len(scores) < 2 for scores in scored.values()):  # too few for a line
        panels = others
        names = {name: text + _in_words(scored[name]) for name, text in names.items()}
    rows = math.ceil(len(panels) / COLUMNS)
    lines = wrapped(note, WIDTH, SIZE)
    figure = Figure(figsize=(WIDTH, 0.8 + PANEL_HEIGHT * rows + 0.15 * len(lines)), layout="constrained")
    axes = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
    for axis, panel in zip(axes, panels, strict=False):
        _panel(axis, logs, *panel)
        axis.set_xlim(steps.min() - margin, steps.max() + margin)
    for axis in axes[len(panels) :]:
        axis.set_axis_off()
    bold = {"size": SIZE + 1, "weight": "bold"}
    figure.legend(handles=_handles(logs, names), title=title, title_fontproperties=bold, **PLACE)
    figure.supxlabel("\n".join(lines), fontsize=SIZE)
    return figure


def log_names(paths: Sequence[str | os.PathLike[str]]) -> list[str]:
    """A name for each log: the parts of its path that differ between logs, or the name of the file if none does."""
    parts = [Path(path).with_suffix("").parts[::-1] for path in paths]
    shared = [len(set(level)) == 1 for level in zip(*parts, strict=False)]
    own = [[part for part, same in zip(path, shared, strict=False) if not same][::-1] for path in parts]
    return ["/".join(names) or path[0] for names, path in zip(own, parts, strict=True)]


def log_title(paths: Sequence[str | os.PathLike[str]], labels: Labels) -> str:
    """The method and the noise of logs, from {noise}/{method}.csv, as far as they are the same in all of them."""
    from fplbench.noise import NOISES

    methods, noises = {Path(path).stem for path in paths}, {Path(path).parent.name for path in paths}
    known = [labels.noise_title(noise) for noise in noises if noise in NOISES]
    return ", ".join([*map(labels.method, methods if len(methods) == 1 else ()), *(known if len(noises) == 1 else ())])


def read_log(path: str | os.PathLike[str]) -> Log:
    """Columns of a training log as float arrays; NaN where a term was not measured.

    Raises:
        InputError: the log is missing, empty or not a table of numbers.
    """
    rows = read_csv(path, ("step",))
    if not rows:
        raise InputError(f"{path} is not a training log: it has no rows.")
    try:
        return {name: np.array([float(row[name] or "nan") for row in rows]) for name in rows[0]}
    except ValueError as error:
        raise InputError(f"{path} is not a training log: {error}.") from None


def _terms(logs: Mapping[str, Log], prefix: str) -> list[str]:
    """Columns that start with a prefix and were measured in any log."""
    found = ((name, values) for log in logs.values() for name, values in log.items())
    return sorted({name for name, values in found if name.startswith(prefix) and np.isfinite(values).any()})


def _panel(axis: "Axes", logs: Mapping[str, Log], title: str, prefix: str, logarithmic: bool) -> None:
    """Draw the columns of all logs that start with a prefix."""
    from matplotlib.ticker import MaxNLocator

    for number, log in enumerate(logs.values()):
        for place, term in enumerate(_terms(logs, prefix)):
            if term in log:
                measured = np.isfinite(log[term])
                style = STYLES[0 if term == prefix else place % len(STYLES)]
                steps, values = log["step"][measured], log[term][measured]
                axis.plot(steps, values, style, markevery=max(1, len(steps) // MARKERS_OF_A_LINE), **_look(number, len(logs)))
    axis.set_title(title, fontsize=SIZE)
    axis.set_xlabel("Step", fontsize=SIZE)
    axis.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axis.tick_params(labelsize=SIZE)
    axis.grid(alpha=0.3)
    if logarithmic and _positive(axis):
        axis.set_yscale("log")


def _look(number: int, logs: int) -> dict[str, Any]:
    """Colour, marker and width of a log; the first are wider than the later ones, which are drawn over them."""
    first = (logs - 1 - number) / max(1, logs - 1)
    return {
        "color": COLOURS[number % len(COLOURS)],
        "marker": MARKERS[number % len(MARKERS)],
        "markersize": 3.5 + 2 * first,
        "linewidth": 0.9 + 1.6 * first,
    }


def _scores(log: Log) -> np.ndarray:
    """The scores of validation images that were measured."""
    found = log.get(SCORE, np.empty(0))
    return found[np.isfinite(found)]


def _in_words(scores: np.ndarray) -> str:
    return f" ({scores[-1]:.2f} dB in validation)" if scores.size else ""


def _handles(logs: Mapping[str, Log], names: Mapping[str, str]) -> "list[Line2D]":
    """What the legend shows: the logs by their names in it, and the terms of the loss where there are several."""
    from matplotlib.lines import Line2D

    prefix = PANELS[0][1]
    found = [Line2D([], [], label=names[name], **_look(number, len(logs))) for number, name in enumerate(logs)]
    terms = [term.removeprefix(prefix).replace("_", " ") for term in _terms(logs, prefix)]
    if len(terms) > 1:
        looks: list[dict[str, Any]] = [
            {"linestyle": STYLES[place % len(STYLES)], "color": "black"} for place in range(len(terms))
        ]
        found += [Line2D([], [], label=term, **look) for term, look in zip(terms, looks, strict=True)]
    return found


def _positive(axis: "Axes") -> bool:
    values = np.concatenate([np.asarray(line.get_ydata(), float) for line in axis.lines] or [np.zeros(1)])
    return bool(values.size) and bool((values > 0).all())

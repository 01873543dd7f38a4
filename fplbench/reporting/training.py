"""Figure of training logs: losses, gradient norms, learning rate, speed and memory by step."""

import csv
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fplbench.errors import InputError
from fplbench.reporting.panels import save

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Title, beginning of the columns' names, and whether the axis is logarithmic.
PANELS = (
    ("Loss", "loss_", True),
    ("Norm of the weighted term's gradient", "gradient_norm_", True),
    ("Learning rate", "learning_rate", False),
    ("Images per second", "images_per_second", False),
    ("Peak memory (MiB)", "peak_memory_mb", False),
)
STYLES = ("-", "--", ":", "-.")

Log = dict[str, np.ndarray]


def training_figure(output: str | os.PathLike, paths: Sequence[str | os.PathLike]) -> None:
    """Draw training logs over each other, one colour a log and one line style a term of the loss.

    Args:
        output: the picture to write.
        paths: logs, .csv files with a column `step` and the columns of `PANELS`; what their paths do not share is the legend.

    Raises:
        InputError: a log is missing, empty or no table of numbers.
    """
    from matplotlib.figure import Figure

    logs = {name: read_log(path) for name, path in zip(log_names(paths), paths, strict=True)}
    figure = Figure(figsize=(13, 7), layout="constrained")
    axes = figure.subplots(2, 3).ravel()
    for axis, (title, prefix, logarithmic) in zip(axes, PANELS, strict=False):
        _panel(axis, logs, prefix)
        axis.set_title(title, fontsize=10)
        axis.set_xlabel("step")
        if logarithmic and _positive(axis):
            axis.set_yscale("log")
    for colour, name in enumerate(logs):
        axes[-1].plot([], [], color=f"C{colour}", label=name)
    axes[-1].set_axis_off()
    axes[-1].legend(loc="center", fontsize=8, ncols=1 + len(logs) // 16)
    save(figure, output)


def log_names(paths: Sequence[str | os.PathLike]) -> list[str]:
    """A name for each log: the parts of its path that are not the same in all of them, or the file's where all are."""
    parts = [Path(path).with_suffix("").parts[::-1] for path in paths]
    shared = [len(set(level)) == 1 for level in zip(*parts, strict=False)]
    own = [[part for part, same in zip(path, shared, strict=False) if not same][::-1] for path in parts]
    return ["/".join(names) or path[0] for names, path in zip(own, parts, strict=True)]


def read_log(path: str | os.PathLike) -> Log:
    """Columns of a training log as float arrays, `nan` where a term was not measured."""
    try:
        with open(path, newline="") as stream:
            rows = list(csv.DictReader(stream))
        log = {name: np.array([float(row[name]) for row in rows]) for name in (rows[0] if rows else ())}
    except FileNotFoundError:
        raise InputError(f"{path} does not exist.") from None
    except (ValueError, TypeError, csv.Error) as error:
        raise InputError(f"{path} is no training log: {error}.") from None
    if "step" not in log:
        raise InputError(f"{path} is no training log: it has no rows with a column 'step'.")
    return log


def _panel(axis: "Axes", logs: dict[str, Log], prefix: str) -> None:
    terms = sorted({name for log in logs.values() for name in log if name.startswith(prefix)})
    for colour, log in enumerate(logs.values()):
        for style, term in zip(STYLES, terms, strict=False):
            if term in log:
                measured = np.isfinite(log[term])
                axis.plot(
                    log["step"][measured],
                    log[term][measured],
                    STYLES[0] if prefix == term else style,
                    color=f"C{colour}",
                )
    for style, term in zip(STYLES, terms, strict=False):
        if term != prefix:
            axis.plot([], [], style, color="black", label=term.removeprefix(prefix).replace("_", " "))
    if any(term != prefix for term in terms):
        axis.legend(fontsize=8)


def _positive(axis: "Axes") -> bool:
    values = np.concatenate([np.asarray(line.get_ydata(), float) for line in axis.lines] or [np.zeros(1)])
    return bool(values.size) and bool((values > 0).all())

"""Figure of training logs: losses, gradient norms, score, learning rate, speed and memory at each step."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fplbench.errors import InputError
from fplbench.files import read_csv
from fplbench.reporting.panels import save

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Title, prefix of the columns, and whether the axis is logarithmic.
PANELS = (
    ("Loss", "loss_", True),
    ("Norm of the weighted term's gradient", "gradient_norm_", True),
    ("PSNR of validation images (dB)", "validation_psnr", False),
    ("Learning rate", "learning_rate", False),
    ("Images per second", "images_per_second", False),
    ("Peak memory (MiB)", "peak_memory_mb", False),
)
STYLES = ("-", "--", ":", "-.")

Log = dict[str, np.ndarray]


def training_figure(output: str | os.PathLike[str], paths: Sequence[str | os.PathLike[str]]) -> None:
    """Draw training logs in the same axes, with one colour for each log and one line style for each term of the loss.

    Args:
        output: the picture to write.
        paths: training logs, .csv files with a column `step` and columns as in `PANELS`. The parts of their paths that differ
            name them in the legend.

    Raises:
        InputError: a log is missing, empty or not a table of numbers.
    """
    from matplotlib.figure import Figure

    logs = {name: read_log(path) for name, path in zip(log_names(paths), paths, strict=True)}
    figure = Figure(figsize=(13, 7), layout="constrained")
    axes = list(figure.subplot_mosaic("ABCD;EFLL").values())  # the legend is at the end
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


def log_names(paths: Sequence[str | os.PathLike[str]]) -> list[str]:
    """A name for each log: the parts of its path that differ between logs, or the name of the file if none does."""
    parts = [Path(path).with_suffix("").parts[::-1] for path in paths]
    shared = [len(set(level)) == 1 for level in zip(*parts, strict=False)]
    own = [[part for part, same in zip(path, shared, strict=False) if not same][::-1] for path in parts]
    return ["/".join(names) or path[0] for names, path in zip(own, parts, strict=True)]


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


def _panel(axis: "Axes", logs: dict[str, Log], prefix: str) -> None:
    """Draw the columns of all logs that start with a prefix; a column that is the prefix itself needs no legend."""
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

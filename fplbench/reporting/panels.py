"""Grids of images: what all figures of images share."""

import math
import os
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fplbench.errors import InputError
from fplbench.files import replacing
from fplbench.stacks import describe_size, open_stack

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PANEL_INCHES = 2.2
TITLE_INCHES = 0.42
LINE_INCHES = 0.3
LETTERS_PER_INCH = 14  # at the note's eight points
DOTS_PER_INCH = 150
SCALE_PERCENTILES = (0.5, 99.5)


@dataclass(frozen=True)
class Panel:
    """One image of a figure, (H, W), and the values that are shown black and white."""

    title: str
    image: np.ndarray
    black: float = 0
    white: float = 255


def draw(panels: Sequence[Panel], columns: int, title: str = "", note: str = "", inches: float = PANEL_INCHES) -> "Figure":
    """Lay panels out row by row, `inches` wide each, with a title above and a note below."""
    from matplotlib.figure import Figure

    rows = math.ceil(len(panels) / columns)
    note = textwrap.fill(note, int(LETTERS_PER_INCH * columns * inches))
    lines = bool(title) + len(note.splitlines())
    figure = Figure(figsize=(columns * inches, rows * (inches + TITLE_INCHES) + lines * LINE_INCHES), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis, panel in zip(axes, panels, strict=False):
        axis.imshow(panel.image, cmap="gray", vmin=panel.black, vmax=panel.white, interpolation="nearest")
        axis.set_title(panel.title, fontsize=8)
    for axis in axes:
        axis.set_axis_off()
    if title:
        figure.suptitle(title, fontsize=10)
    if note:
        figure.supxlabel(note, fontsize=8)
    return figure


def save(figure: "Figure", output: str | os.PathLike) -> None:
    """Write a figure in one piece; the ending of the name is its format.

    Raises:
        InputError: the ending is that of no picture.
    """
    output = Path(output)
    if output.suffix.lstrip(".").lower() not in figure.canvas.get_supported_filetypes():
        raise InputError(f"{output} is no picture: the name must end in .png, .pdf or .svg.")
    output.parent.mkdir(parents=True, exist_ok=True)
    with replacing(output) as temporary:
        figure.savefig(temporary, dpi=DOTS_PER_INCH)


def scale(maps: np.ndarray) -> tuple[float, float]:
    """The values shown black and white in all of several maps: nearly the extremes, so that no single pixel rules."""
    black, white = np.percentile(maps, SCALE_PERCENTILES)
    return float(black), float(max(white, black + 1e-12))


def choose_image(stack: np.ndarray, path: str | os.PathLike, image: int | None) -> int:
    """Position of the image to show: the one asked for, or the middle one; InputError if there is no such image."""
    if image is None:
        return len(stack) // 2
    if not 0 <= image < len(stack):
        raise InputError(f"{path} has no image {image}: it holds {len(stack)}, counted from 0.")
    return image


def open_image(path: str | os.PathLike, image: int, clean: np.ndarray, clean_path: str | os.PathLike) -> np.ndarray:
    """One image of the stack at `path`, uint8 (H, W); InputError unless the stack has the shape of the clean one."""
    stack = open_stack(path)
    if stack.shape != clean.shape:
        raise InputError(f"{path} holds {describe_size(stack)}; {clean_path} holds {describe_size(clean)}.")
    return np.asarray(stack[image])

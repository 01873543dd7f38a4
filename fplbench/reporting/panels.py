"""What all figures of images share: which image is shown, panels in a grid, and writing the picture."""

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
from fplbench.scoring.matching import open_matching
from fplbench.scoring.metrics import psnr, ssim
from fplbench.stacks import open_stack, read_index

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PANEL_INCHES = 2.2
TITLE_INCHES = 0.42
LINE_INCHES = 0.3
LETTERS_PER_INCH = 14  # of the note, at eight points
DOTS_PER_INCH = 150
SCALE_PERCENTILES = (0.5, 99.5)


@dataclass(frozen=True)
class Panel:
    """One image of a figure, (H, W), and the values that are shown as black and white."""

    title: str
    image: np.ndarray
    black: float = 0
    white: float = 255


class Example:
    """One image of a clean stack, and the same image of other stacks.

    Attributes:
        clean: uint8 (H, W).
        name: its image_id.
        index: the index of the stack.

    Args:
        path: the clean stack, with its index.
        image: which image, counted from 0; None is the middle one.

    Raises:
        InputError: the stack or its index is missing or malformed, or there is no such image.
    """

    def __init__(self, path: str | os.PathLike[str], image: int | None = None) -> None:
        self._path = path
        self._stack = open_stack(path)
        self._position = len(self._stack) // 2 if image is None else image
        if not 0 <= self._position < len(self._stack):
            raise InputError(f"{path} has no image {image}: it holds {len(self._stack)}, counted from 0.")
        self.clean: np.ndarray = np.asarray(self._stack[self._position])
        self.index: list[dict[str, str]] = read_index(path, len(self._stack))
        self.name: str = self.index[self._position]["image_id"]

    def of(self, path: str | os.PathLike[str]) -> np.ndarray:
        """The same image of another stack, uint8 (H, W); InputError if the stack does not match the clean one."""
        return np.asarray(open_matching(path, self._stack, self._path)[self._position])


def draw(panels: Sequence[Panel], columns: int, title: str = "", note: str = "", inches: float = PANEL_INCHES) -> "Figure":
    """Draw panels in rows, each `inches` wide, with a title above and a note below."""
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


def sentence_figure(sentence: str) -> "Figure":
    """A small picture of one sentence, in place of a figure that has nothing to show."""
    from matplotlib.figure import Figure

    lines = textwrap.wrap(sentence, 80)
    figure = Figure(figsize=(6, 0.35 + 0.2 * len(lines)))
    figure.text(0.5, 0.5, "\n".join(lines), ha="center", va="center", fontsize=9)
    return figure


def check_picture(output: str | os.PathLike[str]) -> None:
    """Raise InputError unless the name ends like that of a picture."""
    from matplotlib.backend_bases import FigureCanvasBase

    if Path(output).suffix.lstrip(".").lower() not in FigureCanvasBase.get_supported_filetypes():
        raise InputError(f"{output} is not a picture: the name must end in .png, .pdf or .svg.")


def save(figure: "Figure", output: str | os.PathLike[str], dots_per_inch: int = DOTS_PER_INCH) -> None:
    """Write a figure; the ending of the name sets the format. Missing folders are created.

    Raises:
        InputError: the name does not end like that of a picture.
    """
    check_picture(output)
    with replacing(output) as temporary:
        figure.savefig(temporary, dpi=dots_per_inch)


def scale(maps: np.ndarray) -> tuple[float, float]:
    """The values to show as black and white in several maps: almost the extremes, so that single pixels have no effect."""
    black, white = np.percentile(maps, SCALE_PERCENTILES)
    return float(black), float(max(white, black + 1e-12))


def scores_title(clean: np.ndarray, image: np.ndarray) -> str:
    """PSNR and SSIM of an image, uint8 (H, W), for the title of its panel."""
    return f"{psnr(clean, image):.2f} dB / {ssim(clean, image):.3f}"

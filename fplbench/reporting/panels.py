"""What all figures of images share: panels, their grey scales, and writing the picture."""

import logging
import os
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fplbench.errors import InputError
from fplbench.files import replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DOTS_PER_INCH = 150
SCALE_PERCENTILES = (0.5, 99.5)


@dataclass(frozen=True)
class Panel:
    """One image of a figure.

    Attributes:
        title: text above it.
        image: (H, W).
        black: the value that is shown as black, or in the first colour.
        white: the value that is shown as white, or in the last colour.
        colours: Matplotlib's name of the colour map.
        marked: whether the part that the figure magnifies is framed.
    """

    title: str
    image: np.ndarray
    black: float = 0
    white: float = 255
    colours: str = "gray"
    marked: bool = False


def sentence_figure(sentence: str) -> "Figure":
    """A small picture of one sentence, in place of a figure that has nothing to show."""
    from matplotlib.figure import Figure

    lines = textwrap.wrap(sentence, 80)
    figure = Figure(figsize=(6, 0.35 + 0.2 * len(lines)), dpi=DOTS_PER_INCH)
    figure.text(0.5, 0.5, "\n".join(lines), ha="center", va="center", fontsize=9)
    return figure


def check_picture(output: str | os.PathLike[str]) -> None:
    """Raise InputError unless the name ends like that of a picture."""
    from matplotlib.backend_bases import FigureCanvasBase

    if Path(output).suffix.lstrip(".").lower() not in FigureCanvasBase.get_supported_filetypes():
        raise InputError(f"{output} is not a picture: the name must end in .png, .pdf or .svg.")


def literal(figure: "Figure") -> None:
    """Have the words of a figure drawn as they are written: Matplotlib would set what stands between two $ as a formula.

    Labels, notes and image ids come from the user, and what is no formula would end the drawing. The powers of ten of a
    logarithmic axis are formulas, and stay.
    """
    from matplotlib.text import Text

    logarithmic = [axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis) if axis.get_scale() == "log"]
    powers = {text for axis in logarithmic for text in axis.findobj(Text) if text is not axis.label}
    for text in {*figure.findobj(Text)} - powers:
        text.set_parse_math(False)


def save(figure: "Figure", output: str | os.PathLike[str], dots_per_inch: float = DOTS_PER_INCH) -> None:
    """Write a figure; the ending of the name sets the format. Missing folders are created.

    In a PDF, words are text in embedded TrueType fonts, and images that are not resampled keep their own pixels. It has no date,
    so that the same figure is the same file.

    Raises:
        InputError: the name does not end like that of a picture.
    """
    from matplotlib import rc_context

    check_picture(output)
    logging.getLogger("fontTools").setLevel(logging.WARNING)  # it tells every step of cutting down a font
    literal(figure)
    undated = {"CreationDate": None} if Path(output).suffix.lower() == ".pdf" else None
    with rc_context({"pdf.fonttype": 42, "image.composite_image": False}), replacing(output) as temporary:
        figure.savefig(temporary, dpi=dots_per_inch, metadata=undated)


def scale(maps: np.ndarray) -> tuple[float, float]:
    """The values to show as black and white in several maps: almost the extremes, so that single pixels have no effect."""
    black, white = np.percentile(maps, SCALE_PERCENTILES)
    return float(black), float(max(white, black + 1e-12))

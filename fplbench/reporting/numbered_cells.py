"""A matrix as coloured cells with a number in each."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

DARK = 0.179  # relative luminance at which black and white letters have the same contrast, 4.6 to 1
MISSING = "–"


def luminance(colour: Sequence[float]) -> float:
    """Relative luminance of a colour in sRGB, from 0 (black) to 1 (white), as the WCAG define it."""
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def written(matrix: np.ndarray, write: Callable[[float], str]) -> np.ndarray:
    """The numbers of a matrix as text, with a minus sign instead of a hyphen; a dash where there is none (NaN)."""
    words = [MISSING if np.isnan(value) else write(value).replace("-", "−") for value in matrix.ravel()]
    return np.array(words, object).reshape(matrix.shape)


def numbered_cells(
    axis: "Axes", matrix: np.ndarray, words: np.ndarray, limits: tuple[float, float], colours: str, size: float = 7
) -> "AxesImage":
    """Draw a matrix with text in every cell, in black or white, whichever can be read on its colour.

    Args:
        axis: where to draw it.
        matrix: float (M, N); a cell without a value (NaN) is white.
        words: text of each cell, (M, N), as `written` gives it.
        limits: the values at the two ends of the colour map; cells beyond them have the colour of the end.
        colours: name of the colour map.
        size: of the text, points.
    """
    picture = axis.imshow(matrix, cmap=colours, vmin=limits[0], vmax=limits[1], aspect="auto", interpolation="nearest")
    for (row, column), value in np.ndenumerate(matrix):
        colour = "white" if not np.isnan(value) and luminance(tuple(picture.to_rgba(value))) < DARK else "black"
        axis.text(column, row, str(words[row, column]), ha="center", va="center", fontsize=size, color=colour)
    axis.tick_params(length=0)
    return picture

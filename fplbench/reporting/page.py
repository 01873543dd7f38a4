"""A page on which images, lines and words have their places in dots, so that pixels of images cover whole dots."""

from collections.abc import Sequence
from typing import Any

import numpy as np

MARK_COLOUR = "#ffb000"
"""Colour of frames, outlines and the borders of magnified parts."""


class Page:
    """A figure with places in dots, counted from the upper left corner.

    All images are in one pair of axes, since a pair for each would take most of the time of drawing. In a PDF or SVG every image
    is stored with its own pixels, and lines and words are vectors.

    Attributes:
        figure: the figure.

    Args:
        width: width of the page, dots.
        height: its height.
        dots_per_inch: dots of an inch, which set the size of the lettering.
    """

    def __init__(self, width: int, height: int, dots_per_inch: int) -> None:
        from matplotlib.figure import Figure

        self._width, self._height = width, height
        # A hundredth of a dot more, as Matplotlib rounds the size down.
        size = ((width + 0.01) / dots_per_inch, (height + 0.01) / dots_per_inch)
        self.figure = Figure(figsize=size, dpi=dots_per_inch)
        self._axes = self.figure.add_axes((0, 0, 1, 1))
        self._axes.set_axis_off()
        self._axes.set(xlim=(0, width), ylim=(height, 0), autoscale_on=False)

    def image(
        self,
        place: tuple[float, float, float, float],
        image: np.ndarray,
        black: float = 0,
        white: float = 255,
        colours: str = "gray",
    ) -> None:
        """Draw an image.

        Args:
            place: left, top, width and height.
            image: (H, W).
            black: the value that gets the first colour.
            white: the value that gets the last.
            colours: Matplotlib's name of the colour map.
        """
        left, top, width, height = place
        extent = (left, left + width, top + height, top)
        self._axes.imshow(
            image, cmap=colours, vmin=black, vmax=white, extent=extent, interpolation="none", aspect="auto", zorder=0
        )

    def frame(self, place: tuple[float, float, float, float], width: float = 0.8, colour: str = MARK_COLOUR) -> None:
        """Draw a rectangle on a dark, wider one, so that it stands out from greys too.

        Args:
            place: left, top, width and height.
            width: width of the line, points.
            colour: its colour.
        """
        from matplotlib.patches import Rectangle

        left, top, across, down = place
        for edge, points in (("black", width + 0.8), (colour, width)):
            self._axes.add_patch(Rectangle((left, top), across, down, fill=False, edgecolor=edge, linewidth=points))

    def lines(self, lines: np.ndarray, width: float = 0.7) -> None:
        """Draw lines, float (K, 2, 2): each from one (x, y) to another; and their width, points."""
        from matplotlib.collections import LineCollection

        self._axes.add_collection(
            LineCollection(list(lines), colors=MARK_COLOUR, linewidths=width, capstyle="projecting"), autolim=False
        )

    def write(self, left: float, baseline: float, words: str, size: float = 7, **style: Any) -> None:
        """One line of text, at `size` points. Dollar signs are just that, not mathematics."""
        place = (left / self._width, 1 - baseline / self._height)
        self.figure.text(*place, words, fontsize=size, va="baseline", parse_math=False, **style)

    def paragraph(self, left: float, top: int, lines: Sequence[str], line: int) -> int:
        """Lines of text below each other, each `line` dots high; where they end."""
        for number, words in enumerate(lines, start=1):
            self.write(left, top + number * line, words)
        return top + len(lines) * line

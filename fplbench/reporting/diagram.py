"""Boxes and arrows of diagrams, in axes whose unit is an inch."""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

POINTS_PER_INCH = 72
DARK = "#333333"


def box(
    axis: "Axes", place: tuple[float, float, float, float], fill: str = "white", text: str = "", size: float = 8, style: str = "-"
) -> None:
    """Draw a rounded box with text in its middle.

    Args:
        axis: where to draw it.
        place: left, bottom, width and height.
        fill: its colour.
        text: of one or several lines.
        size: of the text, points.
        style: of its outline; dashed for what stays as it is.
    """
    from matplotlib.patches import FancyBboxPatch

    left, bottom, width, height = place
    shape = "round,pad=0,rounding_size=0.06"
    axis.add_patch(
        FancyBboxPatch((left, bottom), width, height, shape, facecolor=fill, edgecolor=DARK, linewidth=0.9, linestyle=style)
    )
    if text:
        axis.text(left + width / 2, bottom + height / 2, text, fontsize=size, ha="center", va="center", linespacing=1.35)


def arrow(axis: "Axes", start: tuple[float, float], end: tuple[float, float], *, curved: bool = False, corner: str = "") -> None:
    """Draw an arrow.

    Args:
        axis: where to draw it.
        start: where it starts, x and y.
        end: where its head is.
        curved: whether it leaves and arrives horizontally.
        corner: "right first" or "up first", for one right angle.
    """
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    if curved:
        middle = (start[0] + end[0]) / 2
        path = Path([start, (middle, start[1]), (middle, end[1]), end], [Path.MOVETO, *[Path.CURVE4] * 3])
    else:
        turn = {"right first": [(end[0], start[1])], "up first": [(start[0], end[1])]}
        path = Path([start, *turn.get(corner, []), end])
    axis.add_patch(FancyArrowPatch(path=path, arrowstyle="-|>", mutation_scale=9, color=DARK, linewidth=1.1))


@cache
def text_width(text: str, size: float, bold: bool = False) -> float:
    """Width of a line of text, inches."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    font = FontProperties(weight="bold" if bold else "normal")
    return float(TextPath((0, 0), text, size=size, prop=font).get_extents().width) / POINTS_PER_INCH

"""Bars that state the scales of a figure: which values its greys and colours stand for."""

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fplbench.lesions.units import WHITE, per_level
from fplbench.noise.window import index_window
from fplbench.reporting.page import Page

DIVERGING = "cividis"
"""Colours of differences, from dark blue through grey, which is 0, to bright yellow. They also rank in print without colours, and
for every kind of colour vision."""
STEPS = (1, 1.5, 2, 3, 4, 5, 7.5)
"""The colours of differences end at one of these, times a power of ten."""
SATURATED = 99
"""Percentage of the differences that the colours cover."""
LETTERS_PER_INCH = 18.5  # at seven points


@dataclass(frozen=True)
class Bar:
    """The scale of some panels.

    Attributes:
        title: what is shown, and the unit.
        ticks: what the values at the left, in the middle and at the right are; "" leaves one out.
        colours: Matplotlib's name of the colour map.
    """

    title: str
    ticks: tuple[str, str, str]
    colours: str = "gray"


def bars_height(bars: Sequence[Bar], across: int, width: float, line: int, dots_per_inch: int) -> int:
    """Height of bars in rows of `across`, in dots; see `draw_bars`."""
    return sum(
        (max(len(_title(bar, width, dots_per_inch)) for bar in bars[first : first + across]) + 3) * line
        for first in range(0, len(bars), across)
    )


def draw_bars(
    page: Page, bars: Sequence[Bar], places: Sequence[float], top: int, width: float, line: int, dots_per_inch: int
) -> None:
    """Draw bars in rows, each with its title above and its values below.

    Args:
        page: where to draw.
        bars: the bars.
        places: left of each bar of a row.
        top: where the first row starts.
        width: width of a bar.
        line: height of a line of text.
        dots_per_inch: dots of an inch.
    """
    for first in range(0, len(bars), len(places)):
        row = bars[first : first + len(places)]
        titles = [_title(bar, width, dots_per_inch) for bar in row]
        below = top + max(map(len, titles)) * line
        for left, bar, title in zip(places, row, titles, strict=False):
            page.paragraph(left, below - len(title) * line, title, line)
            place = (left, below + line // 2, width, line * 3 // 4)
            page.image(place, np.arange(256)[None], 0, 255, bar.colours)
            page.frame(place, 0, "black")
            for share, align, tick in zip((0, 0.5, 1), ("left", "center", "right"), bar.ticks, strict=True):
                page.write(left + share * width, below + 2 * line + line // 3, tick, ha=align)
        top = below + 3 * line


def _title(bar: Bar, width: float, dots_per_inch: int) -> list[str]:
    return textwrap.wrap(bar.title, max(8, int(width / dots_per_inch * LETTERS_PER_INCH)))


def grey_bar(entry: Mapping[str, str], title: str = "Images", levels: tuple[float, float] = (0, WHITE)) -> Bar:
    """The bar of images in grey levels, or in HU where the index has a window in HU.

    Args:
        entry: the row of the image in the index of its stack.
        title: what the images are.
        levels: grey levels shown as black and white.
    """
    window = index_window([entry])
    if window is None:
        return Bar(f"{title}, grey levels", (f"{levels[0]:.0f}", "", f"{levels[1]:.0f}"))
    black, white = (window[0] + per_level(window) * level for level in levels)
    return Bar(f"{title}, HU", (signed(round(black)), "", signed(round(white))))


def difference_bar(bound: float, entry: Mapping[str, str]) -> tuple[Bar, float]:
    """The bar of differences between images in grey levels, or in HU where the index has a window in HU.

    Args:
        bound: the largest difference that the colours need to cover, grey levels.
        entry: the row of the image in the index of its stack.

    Returns:
        The bar, whose colours end at a round number that is not smaller, and this number in grey levels.
    """
    window = index_window([entry])
    level, unit = (1.0, "grey levels") if window is None else (per_level(window), "HU")
    most = max(bound, 1) * level
    power = 10.0 ** math.floor(math.log10(most))
    end = next((step * power for step in STEPS if step * power >= most), 10 * power)
    return Bar(f"Differences, {unit}", (signed(-end), "0", f"+{signed(end)}"), DIVERGING), end / level


def feature_bar(black: float, white: float, which: str = "") -> Bar:
    """The bar of feature maps."""
    return Bar(f"Features F{which}", (signed(black), "", signed(white)))


def feature_difference_bar(bound: float, which: str = "") -> Bar:
    """The bar of differences between feature maps."""
    return Bar(f"Differences of F{which}", (signed(-bound), "0", f"+{bound:.3g}"), DIVERGING)


def signed(value: float) -> str:
    """A number with three digits and a true minus sign."""
    return (f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}").replace("-", "−")

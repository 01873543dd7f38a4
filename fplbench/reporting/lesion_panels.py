"""The pages of the lesion figures: the whole image with magnified crops beside it, every pixel of them a square of dots."""

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fplbench.reporting.lesion_crops import edges

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DOTS_PER_INCH = 200
# Lengths are in dots, so that every pixel of a crop covers the same whole number of them.
LEAST_PANEL, MOST_PANEL, GAP, MARGIN, LINE = 200, 260, 14, 24, 26
PIXEL = 4
"""Fewest dots for the side of a pixel. A crop that is too large for that fills its panel, however many dots that makes."""
DOTS_PER_LETTER = 10.7  # at seven points
TITLE_SHARE = 0.68  # of the letters of a line, in the title, which is larger and bold
LABEL_LETTERS = 17  # above a panel
COLOUR = "#ffb000"
MOST_COLUMNS = 7


@dataclass(frozen=True)
class Block:
    """What is drawn of a lesion.

    Attributes:
        heading: sentences on the lesion and its crops.
        image: the clean image, uint8 (H, W).
        rows: the rows of the crop.
        columns: its columns.
        mask: bool, the lesion in the crop.
        crops: uint8 crops, by label and contrast recovery.
        window: grey levels shown as black and white.
    """

    heading: str
    image: np.ndarray
    rows: slice
    columns: slice
    mask: np.ndarray
    crops: Sequence[tuple[str, str, np.ndarray]]
    window: tuple[float, float]


def draw_blocks(blocks: Sequence[Block], title: str, note: str) -> "Figure":
    """Draw lesions below each other: at the left the whole image, beside it the crops, in rows of at most seven."""
    grid = Grid.of(blocks)
    titles = textwrap.wrap(title, int(grid.letters * TITLE_SHARE))
    headings = [textwrap.wrap(block.heading, grid.letters) for block in blocks]
    footer = textwrap.wrap(note, grid.letters)
    lines = len(titles) + sum(map(len, headings)) + len(footer)
    page = Page(grid.width, 2 * MARGIN + lines * LINE + len(titles) * LINE // 2 + len(blocks) * grid.height)
    top = MARGIN
    for line in titles:
        page.write(MARGIN, top + LINE // 2, line, size=9, weight="bold")
        top += 3 * LINE // 2
    for block, heading in zip(blocks, headings, strict=True):
        top = page.paragraph(top, heading)
        _draw_block(page, grid, top, block)
        top += grid.height
    page.paragraph(top, footer)
    return page.figure


@dataclass(frozen=True)
class Grid:
    """The places of the panels of a lesion, in dots.

    Attributes:
        panel: side of the place of a crop.
        rows: number of rows of crops.
        columns: number of columns.
        above: height of the titles above a crop.
    """

    panel: int
    rows: int
    columns: int
    above: int

    @classmethod
    def of(cls, blocks: Sequence[Block]) -> "Grid":
        """The same places for all lesions, large enough for the largest crop and the longest label."""
        side = max(max(block.mask.shape) for block in blocks)
        count = max(len(block.crops) for block in blocks)
        rows = math.ceil(count / MOST_COLUMNS)
        lines = max(len(textwrap.wrap(label, LABEL_LETTERS)) for block in blocks for label, *_ in block.crops)
        panel = min(max(LEAST_PANEL, PIXEL * side), MOST_PANEL)
        return cls(panel, rows, math.ceil(count / rows), (lines + 1) * LINE + LINE)

    @property
    def overview(self) -> int:
        """Side of the whole image, which is as high as all rows of crops."""
        return self.rows * self.panel + (self.rows - 1) * self.above

    @property
    def width(self) -> int:
        """Width of the page."""
        return 2 * MARGIN + self.overview + self.columns * (GAP + self.panel)

    @property
    def height(self) -> int:
        """Height of a lesion, without its heading."""
        return self.rows * (self.above + self.panel) + LINE

    @property
    def letters(self) -> int:
        """Letters of a line of text over the whole width."""
        return int((self.width - 2 * MARGIN) / DOTS_PER_LETTER)


class Page:
    """A figure with places in dots, counted from the upper left corner."""

    def __init__(self, width: int, height: int) -> None:
        from matplotlib.figure import Figure

        self._width, self._height = width, height
        self.figure = Figure(figsize=(width / DOTS_PER_INCH, height / DOTS_PER_INCH), dpi=DOTS_PER_INCH)

    def axes(self, left: int, top: int, width: int, height: int) -> "Axes":
        """Axes without ticks or a frame."""
        bottom = self._height - top - height
        place = (left / self._width, bottom / self._height, width / self._width, height / self._height)
        axes = self.figure.add_axes(place)
        axes.set_axis_off()
        return axes

    def write(self, left: float, baseline: float, words: str, size: float = 7, **style: Any) -> None:
        """One line of text."""
        self.figure.text(left / self._width, 1 - baseline / self._height, words, fontsize=size, va="baseline", **style)

    def paragraph(self, top: int, lines: Sequence[str]) -> int:
        """Lines over the whole width; where they end."""
        for number, line in enumerate(lines, start=1):
            self.write(MARGIN, top + number * LINE, line)
        return top + len(lines) * LINE


def _draw_block(page: Page, grid: Grid, top: int, block: Block) -> None:
    height, width = block.image.shape
    shrink = grid.overview / max(height, width)
    rows, columns = block.mask.shape
    enlarge = grid.panel / max(rows, columns)
    enlarge = int(enlarge) if enlarge >= PIXEL else enlarge
    first = top + grid.above
    page.write(MARGIN, first - 3 * LINE // 2, "Whole image")
    page.write(MARGIN, first - LINE // 2, f"crops: scale × {enlarge / shrink:.1f}")
    _overview(page.axes(MARGIN, first, round(width * shrink), round(height * shrink)), block)
    for number, (label, recovery, crop) in enumerate(block.crops):
        row, column = divmod(number, grid.columns)
        left = MARGIN + grid.overview + GAP + column * (grid.panel + GAP)
        below = first + row * (grid.panel + grid.above)
        words = [*textwrap.wrap(label, LABEL_LETTERS), recovery]
        for line, word in enumerate(reversed(words)):
            page.write(left + grid.panel / 2, below - LINE // 2 - line * LINE, word, ha="center")
        high, wide = round(rows * enlarge), round(columns * enlarge)
        place = (left + (grid.panel - wide) // 2, below + (grid.panel - high) // 2)
        _crop(page.axes(*place, wide, high), block, crop)


def _overview(axes: "Axes", block: Block) -> None:
    """The whole image with a frame around the crop."""
    from matplotlib.patches import Rectangle

    axes.imshow(block.image, cmap="gray", vmin=0, vmax=255, interpolation="nearest", aspect="auto")
    corner = (block.columns.start - 0.5, block.rows.start - 0.5)
    size = (block.columns.stop - block.columns.start, block.rows.stop - block.rows.start)
    axes.add_patch(Rectangle(corner, *size, fill=False, edgecolor=COLOUR, linewidth=0.8))


def _crop(axes: "Axes", block: Block, crop: np.ndarray) -> None:
    """A magnified crop with the outline of the lesion."""
    from matplotlib.collections import LineCollection

    black, white = block.window
    axes.imshow(crop, cmap="gray", vmin=black, vmax=white, interpolation="nearest", aspect="auto")
    axes.add_collection(LineCollection(list(edges(block.mask)), colors=COLOUR, linewidths=0.7, capstyle="projecting"))

"""The pages of the lesion figures: the whole image with magnified crops beside it, every pixel of them a square of dots."""

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from fplbench.reporting.lesion_crops import edges
from fplbench.reporting.page import Page
from fplbench.reporting.scale_bars import Bar, draw_bars

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DOTS_PER_INCH = 200
# Lengths are in dots, so that every pixel of a crop covers the same whole number of them.
LEAST_PANEL, MOST_PANEL, GAP, MARGIN, LINE = 200, 260, 14, 24, 26
WIDEST = 2050
"""Width at which the lettering is just large enough where the figure is as wide as the report; it grows with a wider one."""
PIXEL = 4
"""Fewest dots for the side of a pixel. A crop that is too large for that fills its panel, however many dots that makes."""
DOTS_PER_LETTER = 10.7  # at seven points, in a figure that is not wider than `WIDEST`
TITLE_SHARE = 0.68  # of the letters of a line, in the title, which is larger and bold
LABEL_LETTERS = 17  # above a panel
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
        bar: the scale of the crops, for the place that the last row may have left.
    """

    heading: str
    image: np.ndarray
    rows: slice
    columns: slice
    mask: np.ndarray
    crops: Sequence[tuple[str, str, np.ndarray]]
    window: tuple[float, float]
    bar: Bar


def draw_blocks(blocks: Sequence[Block], title: str, note: str) -> "Figure":
    """Draw lesions below each other: at the left the whole image, beside it the crops, in rows of at most seven."""
    grid = Grid.of(blocks)
    line = grid.line
    titles = textwrap.wrap(title, int(grid.letters * TITLE_SHARE))
    headings = [textwrap.wrap(block.heading, grid.letters) for block in blocks]
    footer = textwrap.wrap(note, grid.letters)
    lines = len(titles) + sum(map(len, headings)) + len(footer)
    height = 2 * MARGIN + lines * line + len(titles) * line // 2 + len(blocks) * grid.height
    page = Page(grid.width, height, grid.dots_per_inch)
    top = MARGIN
    for words in titles:
        page.write(MARGIN, top + line // 2, words, size=9, weight="bold")
        top += 3 * line // 2
    for block, heading in zip(blocks, headings, strict=True):
        top = page.paragraph(MARGIN, top, heading, line)
        _draw_block(page, grid, top, block)
        top += grid.height
    page.paragraph(MARGIN, top, footer, line)
    return page.figure


@dataclass(frozen=True)
class Grid:
    """The places of the panels of a lesion, in dots.

    Attributes:
        panel: side of the place of a crop.
        rows: number of rows of crops.
        columns: number of columns.
        lines: lines of the longest label.
        line: height of a line of text.
    """

    panel: int
    rows: int
    columns: int
    lines: int
    line: int = LINE

    @classmethod
    def of(cls, blocks: Sequence[Block]) -> "Grid":
        """The same places for all lesions, large enough for the largest crop and the longest label."""
        side = max(max(block.mask.shape) for block in blocks)
        count = max(len(block.crops) for block in blocks)
        rows = math.ceil(count / MOST_COLUMNS)
        lines = max(len(textwrap.wrap(label, LABEL_LETTERS)) for block in blocks for label, *_ in block.crops)
        grid = cls(min(max(LEAST_PANEL, PIXEL * side), MOST_PANEL), rows, math.ceil(count / rows), lines)
        while grid.line * WIDEST < LINE * grid.width:
            grid = replace(grid, line=grid.line + 1)
        return grid

    @property
    def dots_per_inch(self) -> int:
        """Dots of an inch: the more, the larger is the lettering in dots."""
        return DOTS_PER_INCH * self.line // LINE

    @property
    def above(self) -> int:
        """Height of the titles above a crop."""
        return (self.lines + 2) * self.line

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
        return self.rows * (self.above + self.panel) + self.line

    @property
    def letters(self) -> int:
        """Letters of a line of text over the whole width."""
        return int((self.width - 2 * MARGIN) / DOTS_PER_LETTER * LINE / self.line)


def _draw_block(page: Page, grid: Grid, top: int, block: Block) -> None:
    line = grid.line
    height, width = block.image.shape
    shrink = grid.overview / max(height, width)
    rows, columns = block.mask.shape
    enlarge = grid.panel / max(rows, columns)
    enlarge = int(enlarge) if enlarge >= PIXEL else enlarge
    first = top + grid.above
    page.write(MARGIN, first - 3 * line // 2, "Whole image")
    page.write(MARGIN, first - line // 2, f"crops: scale × {enlarge / shrink:.1f}")
    page.image((MARGIN, first, round(width * shrink), round(height * shrink)), block.image)
    corner = (MARGIN + block.columns.start * shrink, first + block.rows.start * shrink)
    page.frame((*corner, columns * shrink, rows * shrink))
    high, wide = round(rows * enlarge), round(columns * enlarge)
    outline = (edges(block.mask) + 0.5) * (wide / columns, high / rows)
    for number, (label, recovery, crop) in enumerate(block.crops):
        left, below = _place(grid, first, number)
        words = [*textwrap.wrap(label, LABEL_LETTERS), recovery]
        for above, word in enumerate(reversed(words)):
            page.write(left + grid.panel / 2, below - line // 2 - above * line, word, ha="center")
        corner = (left + (grid.panel - wide) // 2, below + (grid.panel - high) // 2)
        page.image((*corner, wide, high), crop, *block.window)
        page.lines(outline + corner)
    if len(block.crops) < grid.rows * grid.columns:
        left, below = _place(grid, first, len(block.crops))
        draw_bars(page, [block.bar], [left], below, grid.width - MARGIN - left, line, grid.dots_per_inch)


def _place(grid: Grid, first: int, number: int) -> tuple[int, int]:
    """Left and top of the place of a crop; `first` is the top of the first row."""
    row, column = divmod(number, grid.columns)
    return MARGIN + grid.overview + GAP + column * (grid.panel + GAP), first + row * (grid.panel + grid.above)

"""Panels in rows on a page: blocks of panels with their titles, magnified parts, scale bars and text."""

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from fplbench.reporting.detail import Detail
from fplbench.reporting.page import Page
from fplbench.reporting.panels import Panel
from fplbench.reporting.scale_bars import LETTERS_PER_INCH, Bar, bars_height, draw_bars

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAGE_INCHES = 8.0  # at seven points, lettering is 14 pixels high on a page of 1,200 pixels
GAP_INCHES, MARGIN_INCHES, LINE_INCHES = 0.08, 0.08, 0.135
LEAST_DOTS = 300
"""Fewest dots for the side of a panel; the side of each pixel is a whole number of them."""
LETTERS_PER_INCH_BOLD = 12.5  # at nine points


@dataclass(frozen=True)
class Legend:
    """Scale bars and text in the place of a panel."""

    bars: Sequence[Bar]
    words: str = ""


Cell = Panel | Legend
Column = Sequence[Cell]
"""Panels below each other, or a legend in the place of one."""


def fill(count: int, choices: Sequence[int]) -> int:
    """The number of columns, of some choices, that leaves the fewest places of the last row empty; the first of several."""
    return min(choices, key=lambda columns: -count % columns)


class Arrangement:
    """A page that grows from the top to the bottom.

    Args:
        columns: number of panels beside each other.
        shape: height and width of the images.
        detail: the part that is magnified in each panel; None magnifies nothing.
    """

    def __init__(self, columns: int, shape: tuple[int, ...], detail: Detail | None = None) -> None:
        self.columns = columns
        self._detail = detail
        self._pixel = -(-LEAST_DOTS // max(shape))
        self._down, self._across = (length * self._pixel for length in shape)
        inner = PAGE_INCHES - 2 * MARGIN_INCHES - (columns - 1) * GAP_INCHES
        self._dots = round(columns * self._across / inner)
        self._gap, self._margin, self._line = (round(self._dots * inches) for inches in (GAP_INCHES, MARGIN_INCHES, LINE_INCHES))
        self._width = 2 * self._margin + columns * self._across + (columns - 1) * self._gap
        self._top = self._margin
        self._legend_ends = 0
        self._drawn: list[Callable[[Page], object]] = []

    def heading(self, words: str) -> None:
        """A bold line over the whole width, or several."""
        for line in textwrap.wrap(words, int((self._width - 2 * self._margin) / self._dots * LETTERS_PER_INCH_BOLD)):
            self._later(partial(self._bold, self._top + self._line, line))
            self._top += 3 * self._line // 2

    def paragraph(self, words: str) -> None:
        """Text over the whole width."""
        lines = self._wrapped(words, self._width - 2 * self._margin)
        top = self._top
        self._later(lambda page: page.paragraph(self._margin, top, lines, self._line))
        self._top += len(lines) * self._line

    def bars(self, bars: Sequence[Bar]) -> None:
        """Scale bars beside each other, over the whole width."""
        across = min(len(bars), self.columns)
        step = (self._width - 2 * self._margin + self._gap) / across
        width = min(step, self._across) - 2 * self._gap
        self._bars(bars, [self._margin + number * step for number in range(across)], self._top, width)
        self._top += bars_height(bars, across, width, self._line, self._dots)

    def columns_of(self, columns: Sequence[Column], legend: Legend | None = None) -> None:
        """Columns of panels, in as many rows as they need.

        Where the last row is not full, the legend stands in it, and what then is left is spread to both sides; otherwise it is
        below.

        Args:
            columns: panels below each other, the same number in all columns.
            legend: the scales of the panels, and a few words on them.
        """
        beside = legend is not None and len(columns) % self.columns != 0
        cells: list[Column] = [*columns, *([[legend]] if legend is not None and beside else [])]
        for first in range(0, len(cells), self.columns):
            row = cells[first : first + self.columns]
            used = len(row) * self._across + (len(row) - 1) * self._gap
            self._row(row, (self._width - used) // 2)
        self._top = max(self._top, self._legend_ends)
        if legend is not None and not beside:
            self.bars(legend.bars)
            self.paragraph(legend.words)

    def beside(self, panels: Sequence[Panel], legend: Legend) -> None:
        """Panels beside each other, and in the rest of the width the legend, with three of its scales beside each other."""
        start = self._top
        self._row([[panel] for panel in panels], self._margin)
        left = self._margin + len(panels) * (self._across + self._gap) + self._gap
        room = self._width - self._margin - left
        top = self._legend(legend, left, start + self._line, room, min(len(legend.bars), 3))
        self._top = max(self._top, top + self._line)

    def figure(self) -> "Figure":
        """The page as it is now."""
        page = Page(self._width, self._top + self._margin, self._dots)
        for draw in self._drawn:
            draw(page)
        return page.figure

    def _row(self, row: Sequence[Column], left: int) -> None:
        for tier in range(max(map(len, row))):
            titles = [self._wrapped(cell.title, self._across) for cell in _tier(row, tier) if isinstance(cell, Panel)]
            self._top += max(map(len, titles), default=0) * self._line + self._line // 2
            for number, column in enumerate(row):
                if tier < len(column):
                    self._cell(column[tier], left + number * (self._across + self._gap), self._top)
            self._top += self._down
        self._top += self._line

    def _cell(self, cell: Cell, left: int, top: int) -> None:
        if isinstance(cell, Panel):
            self._later(lambda page: self._panel(page, cell, left, top))
        else:
            self._legend_ends = self._legend(cell, left + self._gap, top, self._across, 1) + self._line

    def _panel(self, page: Page, panel: Panel, left: int, top: int) -> None:
        title = self._wrapped(panel.title, self._across)
        for number, words in enumerate(reversed(title)):
            page.write(left + self._across / 2, top - self._line // 3 - number * self._line, words, ha="center")
        page.image((left, top, self._across, self._down), panel.image, panel.black, panel.white, panel.colours)
        if self._detail is not None:
            self._magnify(page, panel, self._detail, left, top)

    def _magnify(self, page: Page, panel: Panel, detail: Detail, left: int, top: int) -> None:
        """The detail in its corner; in a panel that is marked also its frame and the outline of the lesion."""
        pixel = detail.dots(min(self._across, self._down))
        side = pixel * detail.side
        x = left + (self._across - side if detail.at_right else 0)
        y = top + (self._down - side if detail.at_bottom else 0)
        page.image((x, y, side, side), panel.image[detail.rows, detail.columns], panel.black, panel.white, panel.colours)
        page.frame((x, y, side, side))
        if panel.marked:
            start = (left + detail.columns.start * self._pixel, top + detail.rows.start * self._pixel)
            page.frame((*start, detail.side * self._pixel, detail.side * self._pixel))
            if detail.mask is not None:
                page.lines(detail.outline() * pixel + (x, y))

    def _legend(self, legend: Legend, left: int, top: int, width: float, across: int) -> int:
        """Scale bars, `across` beside each other, and the words below them; where they end."""
        step = width / across
        self._bars(legend.bars, [left + number * step for number in range(across)], top, step - 2 * self._gap)
        below = top + bars_height(legend.bars, across, step - 2 * self._gap, self._line, self._dots)
        lines = self._wrapped(legend.words, width - self._gap)
        self._later(lambda page: page.paragraph(left, below, lines, self._line))
        return below + len(lines) * self._line

    def _bold(self, baseline: int, words: str, page: Page) -> None:
        page.write(self._margin, baseline, words, size=9, weight="bold")

    def _bars(self, bars: Sequence[Bar], places: Sequence[float], top: int, width: float) -> None:
        self._later(lambda page: draw_bars(page, bars, places, top, width, self._line, self._dots))

    def _wrapped(self, words: str, width: float) -> list[str]:
        letters = max(8, int(width / self._dots * LETTERS_PER_INCH))
        return [line for part in words.split("\n") for line in textwrap.wrap(part, letters)]

    def _later(self, draw: Callable[[Page], object]) -> None:
        self._drawn.append(draw)


def _tier(row: Sequence[Column], tier: int) -> list[Cell]:
    return [column[tier] for column in row if tier < len(column)]

"""Lettering of charts: its size, so that it can be read where a chart is shown, and the lines that fit the width."""

import textwrap

PAGE_PIXELS = 1168  # width of a figure in the report
LEAST_PIXELS = 11.0
POINTS_PER_INCH = 72
LETTERS_PER_INCH = 16  # at seven points: a line of capitals fits too


def readable(width: float, points: float = 7.0) -> float:
    """Size of lettering that is at least `LEAST_PIXELS` high where a chart fills the width of the report.

    Args:
        width: of the chart, inches.
        points: the size that is wanted; in a wide chart, which is shown smaller, the result is larger.
    """
    return max(points, LEAST_PIXELS * POINTS_PER_INCH * width / PAGE_PIXELS)


def wrapped(text: str, width: float, size: float) -> list[str]:
    """Lines of a text that fit a width.

    Args:
        text: the text; "" has no lines.
        width: of the lines, inches.
        size: of the lettering, points.
    """
    return textwrap.wrap(text, int(LETTERS_PER_INCH * width * 7 / size), break_on_hyphens=False)

"""Size of the lettering of a chart, so that it can be read where the chart is shown."""

PAGE_PIXELS = 1168  # width of a figure in the report
LEAST_PIXELS = 11.0
POINTS_PER_INCH = 72


def readable(width: float, points: float = 7.0) -> float:
    """Size of lettering that is at least `LEAST_PIXELS` high where a chart fills the width of the report.

    Args:
        width: of the chart, inches.
        points: the size that is wanted; in a wide chart, which is shown smaller, the result is larger.
    """
    return max(points, LEAST_PIXELS * POINTS_PER_INCH * width / PAGE_PIXELS)

"""Numbers and words of the ablation."""

from fplbench.reporting.comparison import COMPARED, Compared
from fplbench.reporting.lesion_scores import INSERTED

MARK = "*"
"""Behind a gain whose p, adjusted by Holm's method, is below 0.05."""

_RATIOS = ("ssim", "contrast_recovery", "recovery_error")


def digits(metric: str) -> int:
    """Decimals that a metric is printed with: differences of ratios are smaller than those of decibels."""
    return 3 if metric.removeprefix(INSERTED) in _RATIOS else COMPARED[metric].digits


def kind_words(prefix: str) -> str:
    """Which lesions a metric is of, by the prefix of its name."""
    return "inserted lesions" if prefix == INSERTED else "annotated lesions"


def signed(value: float, metric: str, interval: tuple[float, float] | None = None) -> str:
    """A gain, with its interval in square brackets where there is one."""
    places = digits(metric)
    text = _plain(value, places)
    return text if interval is None else f"{text} [{', '.join(_plain(end, places) for end in interval)}]"


def number(row: Compared, signs: bool = False) -> str:
    """A gain with its interval and the mark of significance; without `signs`, the mean, and the gain in parentheses."""
    if row.gain is None:
        return f"{row.mean:.{digits(row.metric)}f}"
    interval = None if row.low is None or row.high is None else (row.low, row.high)
    gain = signed(row.gain, row.metric, interval) + (MARK if row.significant else "")
    return gain if signs else f"{row.mean:.{digits(row.metric)}f} ({gain})"


def _plain(value: float, places: int) -> str:
    """A number with its sign; one that is rounded to zero has a plus."""
    return f"{round(value, places) + 0.0:+.{places}f}"

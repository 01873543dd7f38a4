"""The grey window of CT images, as recorded in the index of a stack."""

from collections.abc import Mapping, Sequence
from typing import Any

from fplbench.errors import InputError


def index_window(index: Sequence[Mapping[str, Any]]) -> tuple[float, float] | None:
    """The window of a stack of CT images, in HU, from its index.

    Args:
        index: rows of the index, which may have the columns window_low and window_high.

    Returns:
        Lowest and highest HU shown. None if the index has no window, if the images have different ones, or if the window
        does not start below zero: the values are then not HU.

    Raises:
        InputError: the window in the index is not a number.
    """
    windows = {(row.get("window_low", ""), row.get("window_high", "")) for row in index}
    if len(windows) != 1:
        return None
    low, high = windows.pop()
    if low in ("", None) or high in ("", None):
        return None
    try:
        window = float(low), float(high)
    except ValueError:
        raise InputError(f"The index has window_low {low!r} and window_high {high!r}; both must be numbers.") from None
    return window if window[0] < 0 else None

"""The grey window of CT images, as the index of a stack records it."""

from collections.abc import Mapping, Sequence
from typing import Any

from fplbench.errors import InputError


def index_window(index: Sequence[Mapping[str, Any]]) -> tuple[float, float] | None:
    """The window of a stack of CT images in HU, from its index.

    Args:
        index: rows of the index; window_low and window_high are read where they exist.

    Returns:
        Lowest and highest HU shown; None if the index has no window, the images have different ones, or the values are
        not HU: only CT has values below zero.

    Raises:
        InputError: a window that is no number.
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
        raise InputError(f"The index has the window_low {low!r} and window_high {high!r}; numbers are needed.") from None
    return window if window[0] < 0 else None

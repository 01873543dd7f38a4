"""Fields of a header: read from odd values and from the text of the cache, never trusted."""

import math
from typing import Any


def finite(value: Any) -> float:
    """A finite number; ValueError or TypeError for anything else."""
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{number} is no finite number")
    return number


def length(value: Any) -> float | None:
    """A length in mm, or None where the field is empty; ValueError for what cannot be a length."""
    if value in ("", None):
        return None
    number = finite(value)
    if number <= 0:
        raise ValueError(f"{number} is no length")
    return number


def spacing(values: Any) -> tuple[float, float] | None:
    """(row, column) spacing in mm of two values, or None where they are anything but two lengths."""
    if isinstance(values, str | bytes):  # a damaged element comes as its text
        return None
    try:
        row, column = (length(value) for value in values)
    except (TypeError, ValueError):
        return None
    return None if row is None or column is None else (row, column)

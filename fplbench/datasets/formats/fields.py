"""Validation of header fields, whether read from a file or from the text of the cache."""

import math
from typing import Any


def finite(value: Any) -> float:
    """Convert to a finite number; ValueError or TypeError if that is not possible."""
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{number} is not a finite number")
    return number


def length(value: Any) -> float | None:
    """Convert to a length in mm; None if the field is empty, ValueError if the value cannot be a length."""
    if value in ("", None):
        return None
    number = finite(value)
    if number <= 0:
        raise ValueError(f"{number} is not a length")
    return number


def spacing(values: Any) -> tuple[float | None, float | None]:
    """Convert two values to the (row, column) spacing in mm; (None, None) unless both are lengths."""
    if isinstance(values, str | bytes):  # a damaged element is returned as text
        return None, None
    try:
        row, column = (length(value) for value in values)
    except (TypeError, ValueError):
        return None, None
    return (None, None) if row is None or column is None else (row, column)


def pair(row: float | None, column: float | None) -> tuple[float, float] | None:
    """The (row, column) spacing in mm, or None unless both are known."""
    return None if row is None or column is None else (row, column)

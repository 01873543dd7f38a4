"""What the grey levels and the pixels of a stack stand for, in HU and mm."""

import math
import os
from collections.abc import Mapping

import numpy as np

from fplbench.errors import InputError

WHITE = 255
"""The highest grey level of a stack."""


def per_level(window: tuple[float, float]) -> float:
    """HU per grey level in a window in HU."""
    return (window[1] - window[0]) / WHITE


def to_hu(image: np.ndarray, window: tuple[float, float]) -> np.ndarray:
    """An image in HU, float32 (H, W), from grey levels and the HU of the grey levels 0 and 255."""
    return np.float32(window[0]) + np.float32(per_level(window)) * image


def pixel_size(path: str | os.PathLike[str], row: Mapping[str, str], size: int) -> float | None:
    """Side of a pixel of a stack, mm; the geometric mean of height and width where they differ.

    Args:
        path: the stack, for messages.
        row: the row of the image in the index.
        size: the longer side of the images in the stack, pixels. Images that are not square were padded to squares.

    Returns:
        The side, or None if the spacing of the image is blank.

    Raises:
        InputError: a column is missing, or is not a number.
    """
    try:
        height, width = row["row_spacing_mm"], row["column_spacing_mm"]
        if not (height and width):
            return None
        return math.sqrt(float(height) * float(width)) * max(int(row["rows"]), int(row["columns"])) / size
    except (KeyError, ValueError):
        raise InputError(
            f"The index of {path} does not tell the pixel size of {row['image_id']!r}: it needs numbers in the columns "
            "row_spacing_mm, column_spacing_mm, rows and columns."
        ) from None

"""Conversion of stored values to the 8-bit images of a stack."""

import numpy as np

from fplbench.datasets.formats.hounsfield import AIR
from fplbench.datasets.registry import Unreadable

MAX_PIXELS = 2**24  # per image, 4096x4096; decoding and windowing it takes about 300 MB
MAX_SIDE = 2**13  # pixels; a narrow image is padded to a square


def check_size(rows: int, columns: int) -> None:
    """Raise Unreadable unless the size of an image is plausible."""
    if min(rows, columns) < 1:
        raise Unreadable(f"its image of {rows}x{columns} pixels is empty")
    if rows * columns > MAX_PIXELS or max(rows, columns) > MAX_SIDE:
        raise Unreadable(f"its image of {rows}x{columns} pixels is too large; the limits are 4096x4096 and a side of {MAX_SIDE}")


def to_eight_bit(values: np.ndarray, window: tuple[float, float], size: int) -> np.ndarray:
    """Window an image, pad it to a square, resize it, and round it to 8 bits, in this order.

    1. The values are clipped to the window and mapped linearly to [0, 255], as a viewer does. A grey level g stands for
       the value low + g / 255 * (high - low).
    2. An image that is not square is padded with grey level 0 on both short sides.
    3. Shrinking averages over the area of each new pixel; enlarging interpolates linearly.
    4. The result is rounded to the nearest grey level, with halves rounded to even.

    Args:
        values: (H, W), in the unit of the window; NaN counts as the lower end.
        window: lowest and highest value shown.
        size: side of the result, pixels.

    Returns:
        uint8 array (size, size).
    """
    low, high = window
    grey = values.astype(np.float32)  # the only copy; the rest works in place, as images can be large
    np.nan_to_num(grey, copy=False, nan=low)
    grey -= low
    grey /= high - low
    np.clip(grey, 0, 1, out=grey)
    grey *= np.float32(255)
    return np.rint(np.clip(_resized(grey, size), 0, 255)).astype(np.uint8)


def to_int16(hu: np.ndarray, size: int) -> np.ndarray:
    """Pad HU with air, resize them as `to_eight_bit` resizes the image, and round them.

    Where a pixel of the stack averages values of which some are outside the window, windowing the result gives another grey
    level than `to_eight_bit`, which windows first.

    Args:
        hu: (H, W), HU; NaN counts as air.
        size: side of the result, pixels.

    Returns:
        int16 array (size, size).
    """
    above_air = np.nan_to_num(hu.astype(np.float32), copy=False, nan=AIR)
    above_air -= np.float32(AIR)
    resized = np.rint(_resized(above_air, size) + np.float32(AIR))
    return np.clip(resized, -(2**15), 2**15 - 1).astype(np.int16)


def coverage(mask: np.ndarray, size: int) -> np.ndarray:
    """The share of each pixel of the stack that a mask covers, with the padding and the resizing of `to_eight_bit`.

    Args:
        mask: bool (H, W), at the size of the original image.
        size: side of the result, pixels.

    Returns:
        float32 array (size, size), from 0 to 1.
    """
    return np.clip(_resized(mask.astype(np.float32), size), 0, 1)


def content(image: np.ndarray) -> float:
    """Share of the pixels of an 8-bit image above 5 % of the range; air is darker in every window used here."""
    return float(np.count_nonzero(image > 0.05 * 255)) / image.size


def _resized(values: np.ndarray, size: int) -> np.ndarray:
    """Pad to a square, then average over areas or interpolate."""
    import cv2

    square = _padded(values)
    if size == len(square):
        return square
    interpolation = cv2.INTER_AREA if size < len(square) else cv2.INTER_LINEAR
    return cv2.resize(square, (size, size), interpolation=interpolation)


def _padded(grey: np.ndarray) -> np.ndarray:
    """Centre an image in a square of zeros."""
    height, width = grey.shape
    if height == width:
        return grey
    side = max(height, width)
    square = np.zeros((side, side), grey.dtype)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = grey
    return square

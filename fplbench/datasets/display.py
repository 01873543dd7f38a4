"""From stored values to the 8-bit images of a stack."""

import numpy as np

from fplbench.datasets.registry import Unreadable

MAX_PIXELS = 2**24  # of an image, 4096x4096: decoded and windowed in about 300 MB
MAX_SIDE = 2**13  # pixels: a narrow image gets a margin that makes it square


def check_size(rows: int, columns: int) -> None:
    """Raise Unreadable unless an image has a sensible number of pixels."""
    if min(rows, columns) < 1:
        raise Unreadable(f"its image of {rows}x{columns} pixels is empty")
    if rows * columns > MAX_PIXELS or max(rows, columns) > MAX_SIDE:
        raise Unreadable(f"its image of {rows}x{columns} pixels is larger than 4096x4096, or longer than {MAX_SIDE}")


def to_eight_bit(values: np.ndarray, window: tuple[float, float], size: int) -> np.ndarray:
    """Window an image, make it square, resize it and round it to 8 bits, in this order.

    1. The values are clipped to the window and mapped linearly to [0, 255], as a viewing station does. A grey level g
       stands for the value low + g / 255 * (high - low).
    2. An image that is not square gets a margin of grey level 0 on both short sides.
    3. Shrinking averages over the area of each new pixel; enlarging interpolates linearly.
    4. The result is rounded to the nearest grey level, halves to the even one.

    Args:
        values: (H, W), in the unit of the window; NaN counts as the lower end.
        window: lowest and highest value shown.
        size: side of the result, pixels.

    Returns:
        uint8 array (size, size).
    """
    import cv2

    low, high = window
    grey = values.astype(np.float32)  # the one copy; the rest is done in place, as images can be large
    np.nan_to_num(grey, copy=False, nan=low)
    grey -= low
    grey /= high - low
    np.clip(grey, 0, 1, out=grey)
    grey *= np.float32(255)
    grey = _squared(grey)
    interpolation = cv2.INTER_AREA if size < len(grey) else cv2.INTER_LINEAR
    resized = grey if size == len(grey) else cv2.resize(grey, (size, size), interpolation=interpolation)
    return np.rint(np.clip(resized, 0, 255)).astype(np.uint8)


def _squared(grey: np.ndarray) -> np.ndarray:
    """The image in the middle of a black square."""
    height, width = grey.shape
    if height == width:
        return grey
    side = max(height, width)
    square = np.zeros((side, side), grey.dtype)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = grey
    return square


def content(image: np.ndarray) -> float:
    """Share of the pixels of an 8-bit image that exceed 5 % of the range: air is dark in every window used here."""
    return float(np.count_nonzero(image > 0.05 * 255)) / image.size

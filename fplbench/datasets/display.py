"""From stored values to the 8-bit images of a stack."""

import numpy as np


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
    grey = np.clip((np.nan_to_num(values.astype(np.float32), nan=low) - low) / (high - low), 0, 1) * np.float32(255)
    height, width = grey.shape
    margin_rows, margin_columns = max(width - height, 0), max(height - width, 0)
    if margin_rows or margin_columns:
        grey = np.pad(
            grey,
            (
                (margin_rows // 2, margin_rows - margin_rows // 2),
                (margin_columns // 2, margin_columns - margin_columns // 2),
            ),
        )
    interpolation = cv2.INTER_AREA if size < len(grey) else cv2.INTER_LINEAR
    resized = grey if size == len(grey) else cv2.resize(grey, (size, size), interpolation=interpolation)
    return np.rint(np.clip(resized, 0, 255)).astype(np.uint8)


def content(image: np.ndarray) -> float:
    """Share of the pixels of an 8-bit image that exceed 5 % of the range: air is dark in every window used here."""
    return float(np.count_nonzero(image > 0.05 * 255)) / image.size

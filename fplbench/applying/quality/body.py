"""The body of a patient in a CT slice, without table and air."""

import numpy as np

SKIN = -300.0  # HU between air and skin; at this value the body does not yet touch a table's foam, which it does at -900 HU


def body_squares(smooth: np.ndarray, side: int) -> np.ndarray:
    """Which squares of a CT slice lie within the body, the skin excepted.

    The body is the largest region above -300 HU with all that it encloses, such as lungs.

    Args:
        smooth: float32 (H, W), the smoothed slice, HU.
        side: of a square, pixels.

    Returns:
        uint8 (H // side, W // side), 1 or 0. Where nothing is above -300 HU, all are 1.
    """
    import cv2

    rows, columns = (length // side for length in smooth.shape)
    middles = smooth[side // 2 :: side, side // 2 :: side][:rows, :columns]
    above = (middles > SKIN).astype(np.uint8)
    outlines = cv2.findContours(above, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    if not outlines:
        return np.ones_like(above)
    body = np.zeros_like(above)
    cv2.drawContours(body, [max(outlines, key=cv2.contourArea)], -1, 1, cv2.FILLED)
    within = cv2.erode(body, np.ones((3, 3), np.uint8), borderValue=1)  # a body may reach beyond the image
    return within if within.any() else body

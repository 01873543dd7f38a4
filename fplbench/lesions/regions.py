"""Where lesions may be inserted in a CT slice: the lungs, or a large even piece of soft tissue."""

import numpy as np

from fplbench.lesions.shapes import disc
from fplbench.lesions.units import to_hu

TISSUE = -500
"""HU from which a pixel counts as tissue: half way between air and water."""
TRACHEA = -950
"""HU below which air is not in lung tissue, but in airways, stomach or bowel."""
SOFT_TISSUE = (20, 180)
"""HU of liver, spleen, kidney and muscle, with and without contrast agent."""
EVEN_WITHIN_MM = 5
EVENNESS = 40
"""Largest difference in HU within EVEN_WITHIN_MM, after smoothing, of what counts as even."""
SMOOTHING_MM = 2.5
LEAST_AREA_MM2 = 2500
"""Area below which an even piece of soft tissue is more likely muscle than an organ."""


def shows_lung(window: tuple[float, float]) -> bool:
    """Whether a grey window, in HU, tells lung from air and from tissue."""
    return window[0] < TRACHEA and window[1] > TISSUE


def host_region(image: np.ndarray, window: tuple[float, float], pixel_mm: float) -> np.ndarray:
    """Where lesions are inserted: in the lungs if the window shows them, or else in the largest even piece of soft tissue.

    Args:
        image: uint8 (H, W).
        window: HU of the grey levels 0 and 255.
        pixel_mm: size of a pixel.

    Returns:
        bool (H, W).
    """
    hu = to_hu(image, window)
    return lungs(hu) if shows_lung(window) else even_soft_tissue(hu, pixel_mm)


def lungs(hu: np.ndarray) -> np.ndarray:
    """Mask of the lungs.

    The body is the largest connected region above TISSUE, with what it encloses. The lungs are what is in the body, below
    TISSUE, and, in the mean over 3x3 pixels, between TRACHEA and TISSUE: this leaves out airways, gas in the bowel, and
    vessels wide enough to be seen.

    Args:
        hu: float32 (H, W).

    Returns:
        bool (H, W).
    """
    import cv2

    body = largest_filled(hu > TISSUE)
    smooth = cv2.blur(hu, (3, 3))
    found = body & (hu < TISSUE) & (smooth > TRACHEA) & (smooth < TISSUE)
    # The opening removes the rims of airways, where the mean takes in their walls.
    return cv2.morphologyEx(found.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)).astype(bool)


def even_soft_tissue(hu: np.ndarray, pixel_mm: float) -> np.ndarray:
    """Mask of the largest even piece of soft tissue.

    It is the largest connected region in which the smoothed image lies within SOFT_TISSUE and differs by less than EVENNESS
    within EVEN_WITHIN_MM of each pixel, if it has at least LEAST_AREA_MM2. This is not a segmentation of the liver: where
    the liver is in view it is usually found, without its edges and large vessels, but it can be the spleen, the heart
    or, rarely, muscle.

    Args:
        hu: float32 (H, W).
        pixel_mm: size of a pixel.

    Returns:
        bool (H, W), all False if no such piece is large enough.
    """
    import cv2

    smooth = cv2.GaussianBlur(hu, (0, 0), max(0.5, SMOOTHING_MM / pixel_mm))
    element = disc(max(1, round(EVEN_WITHIN_MM / pixel_mm)))
    even = cv2.dilate(smooth, element) - cv2.erode(smooth, element) < EVENNESS
    piece = _largest(even & (smooth > SOFT_TISSUE[0]) & (smooth < SOFT_TISSUE[1]))
    return piece if np.count_nonzero(piece) * pixel_mm**2 >= LEAST_AREA_MM2 else np.zeros_like(piece)


def largest_filled(mask: np.ndarray) -> np.ndarray:
    """The largest connected region of a mask, bool (H, W), with its holes filled; neighbours share a side."""
    from scipy.ndimage import binary_fill_holes

    return binary_fill_holes(_largest(mask))


def _largest(mask: np.ndarray) -> np.ndarray:
    """The largest connected region of a mask; neighbours share a side."""
    import cv2

    count, labels, statistics, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    if count == 1:
        return np.zeros_like(mask)
    return labels == 1 + int(np.argmax(statistics[1:, cv2.CC_STAT_AREA]))

"""GMSD, the spread of the similarity of gradients."""

import numpy as np

from fplbench.scoring.pair import Pair, Reference
from fplbench.scoring.registry import metric

C = 170.0
"""The constant of the paper, for grey levels of 0 to 255."""


@metric("gmsd", label="GMSD", digits=3, direction="lower")
def gmsd(pair: Pair) -> float:
    """Gradient magnitude similarity deviation (Xue et al. 2014), 0 for equal images.

    The gradient magnitudes a and b of the two images, by the Prewitt operator at half the size, are compared by
    s = (2 a b + C) / (a^2 + b^2 + C). The score is the standard deviation of s over the image.
    """
    a, b = pair.reference.once(_clean_magnitude), gradient_magnitude(pair.halved)
    return float(((2 * a * b + C) / (a * a + b * b + C)).std(dtype=np.float64))


def gradient_magnitude(image: np.ndarray) -> np.ndarray:
    """Gradient magnitude of a float32 image (H, W), which is surrounded by zeros, by the 3x3 Prewitt operator over 3."""
    import cv2

    ones, step = np.ones(3, np.float32), np.array([-1, 0, 1], np.float32) / 3
    across = cv2.sepFilter2D(image, cv2.CV_32F, step, ones, borderType=cv2.BORDER_CONSTANT)
    down = cv2.sepFilter2D(image, cv2.CV_32F, ones, step, borderType=cv2.BORDER_CONSTANT)
    return np.sqrt(across * across + down * down)


def _clean_magnitude(reference: Reference) -> np.ndarray:
    return gradient_magnitude(reference.halved)

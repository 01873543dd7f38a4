"""HaarPSI with the constants for medical images."""

import math

import numpy as np

from fplbench.scoring.pair import Pair, Reference
from fplbench.scoring.registry import metric

C = 5.0
ALPHA = 4.9
"""Constants that agree best with experts on medical images (Karner et al. 2024, arXiv 2410.24098), for grey levels of 0 to 255.
Those for photographs are 30 and 4.2."""
SCALES = (2, 4, 8)  # sides of the wavelets, in pixels of the halved image


@metric("haarpsi", label="HaarPSI", digits=3, direction="higher")
def haarpsi(pair: Pair) -> float:
    """Haar wavelet-based perceptual similarity index (Reisenhofer et al. 2018), 0 to 1, with C = 5 and alpha = 4.9.

    Both images are halved in size. The magnitudes a and b of their Haar wavelet coefficients of sides 2 and 4 are compared by
    s = (2 a b + C) / (a^2 + b^2 + C), averaged over the two; the larger magnitude of side 8 is the weight w. The index is
    (logit(sum w sigmoid(alpha s) / sum w) / alpha)^2, summed over pixels and the two directions.
    """
    weights, weighted = 0.0, 0.0
    for clean, denoised in zip(pair.reference.once(_clean_magnitudes), magnitudes(pair.halved), strict=True):
        similarity = (_similarity(clean[0], denoised[0]) + _similarity(clean[1], denoised[1])) / 2
        weight = np.maximum(clean[2], denoised[2])
        weights += float(weight.sum(dtype=np.float64))
        # In double precision, because the logit of nearly 1 magnifies rounding.
        weighted += float((weight / (1 + np.exp(-ALPHA * similarity.astype(np.float64)))).sum())
    if not weights:  # both images are black
        return 1.0
    mean = weighted / weights
    return (math.log(mean / (1 - mean)) / ALPHA) ** 2


def magnitudes(image: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Absolute Haar wavelet coefficients of a float32 image (H, W), which is surrounded by zeros, undecimated.

    Returns:
        For the vertical and the horizontal direction, float32 (H, W) for each of the SCALES.
    """
    import cv2

    directions: tuple[list[np.ndarray], list[np.ndarray]] = [], []
    for side in SCALES:
        ones = np.ones(side, np.float32)
        step = np.repeat(np.array([-1, 1], np.float32), side // 2) / side
        anchor = (side // 2 - 1,) * 2
        for found, across, down in ((directions[0], ones, step), (directions[1], step, ones)):
            found.append(np.abs(cv2.sepFilter2D(image, cv2.CV_32F, across, down, anchor=anchor, borderType=cv2.BORDER_CONSTANT)))
    return directions


def _similarity(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (2 * a * b + C) / (a * a + b * b + C)


def _clean_magnitudes(reference: Reference) -> tuple[list[np.ndarray], list[np.ndarray]]:
    return magnitudes(reference.halved)

"""Gradient error: are edges as steep, and as many, as in the clean image?"""

import math

import numpy as np

from fplbench.scoring.pair import Pair, Reference
from fplbench.scoring.registry import metric


@metric("gradient_error", label="Gradient error", digits=3, direction="lower")
def gradient_error(pair: Pair) -> float:
    """Relative error of the gradient, ||∇y - ∇x|| / ||∇x||, by the Sobel operator.

    x is the clean and y the denoised image, ∇ the derivatives along rows and columns by the 3x3 operator of Sobel and Feldman
    (1968), and ||.|| the Euclidean norm over both derivatives of all pixels. 0 is perfect, and a constant image scores 1:
    blur moves the score towards 1, noise that is left raises it above any bound. NaN where the clean image is constant.
    """
    energy = pair.reference.once(_clean_energy)
    # The operator is linear: the difference of the gradients is the gradient of the difference.
    return math.sqrt(_energy(pair.error) / energy) if energy else math.nan


def _clean_energy(reference: Reference) -> float:
    return _energy(reference.clean.astype(np.int16))


def _energy(image: np.ndarray) -> float:
    """Sum of the squared gradient of an int16 image, which is extended by reflection."""
    import cv2

    derivatives = (cv2.Sobel(image, cv2.CV_32F, *order, ksize=3, borderType=cv2.BORDER_REFLECT) for order in ((1, 0), (0, 1)))
    return sum(float(np.square(derivative).sum(dtype=np.float64)) for derivative in derivatives)

"""Gaussian filter."""

import numpy as np
from pydantic import Field

from fplbench.denoising.registry import OddSize, method, per_image
from fplbench.options import Options

GRID = {"size": [3, 5, 7, 11], "sigma": [0.5, 0.8, 1.2, 1.8, 2.5]}


class GaussianOptions(Options):
    """Options of the Gaussian filter."""

    size: OddSize = Field(3, description="Side of the kernel, pixels.")
    sigma: float = Field(0.8, gt=0, le=99, description="Standard deviation of the kernel, pixels.")


@method("gaussian_filter", label="Gaus. Filt.", cites="gonzalez2018", group="filters", options=GaussianOptions, grid=GRID)
def gaussian_filter(noisy: np.ndarray, options: GaussianOptions) -> np.ndarray:
    """Convolution with a Gaussian kernel, through OpenCV."""
    import cv2

    return per_image(noisy, lambda image: cv2.GaussianBlur(image, (options.size, options.size), options.sigma))

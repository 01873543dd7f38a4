"""Bilateral filter."""

import numpy as np
from pydantic import Field

from fplbench.denoising.registry import method, per_image
from fplbench.options import Options

GRID = {"diameter": [5, 9], "sigma_color": [15, 30, 50, 75, 100, 150], "sigma_space": [1, 2, 50]}


class BilateralOptions(Options):
    """Options of the bilateral filter."""

    diameter: int = Field(5, ge=1, le=99, description="Diameter of the neighbourhood, pixels.")
    sigma_color: float = Field(50, gt=0, allow_inf_nan=False, description="Standard deviation over differences of grey levels.")
    sigma_space: float = Field(50, gt=0, allow_inf_nan=False, description="Standard deviation over distance, pixels.")


@method("bilateral", label="Bilat.", cites="tomasi1998", group="filters", options=BilateralOptions, grid=GRID)
def bilateral(noisy: np.ndarray, options: BilateralOptions) -> np.ndarray:
    """Mean weighted by closeness in place and in grey level (Tomasi and Manduchi 1998), through OpenCV."""
    import cv2

    def smooth(image: np.ndarray) -> np.ndarray:
        return cv2.bilateralFilter(image, options.diameter, options.sigma_color, options.sigma_space)

    return per_image(noisy, smooth)

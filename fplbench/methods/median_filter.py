"""Median filter."""

import numpy as np
from pydantic import Field

from fplbench.denoising.registry import OddSize, method, per_image
from fplbench.options import Options


class MedianOptions(Options):
    """Options of the median filter."""

    size: OddSize = Field(3, description="Side of the square window, pixels.")


@method("median_filter", label="Medi. Filt.", cites="huang1979", group="filters", options=MedianOptions, grid={"size": [3, 5, 7]})
def median_filter(noisy: np.ndarray, options: MedianOptions) -> np.ndarray:
    """Median of a square window (Huang et al. 1979), through OpenCV."""
    import cv2

    return per_image(noisy, lambda image: cv2.medianBlur(image, options.size))

"""Mean filter."""

import numpy as np
from pydantic import Field

from fplbench.denoising.registry import OddSize, method, per_image
from fplbench.options import Options


class MeanOptions(Options):
    """Options of the mean filter."""

    size: OddSize = Field(3, description="Side of the square window, pixels.")


@method("mean_filter", label="Mean Filt.", cites="gonzalez2018", group="filters", options=MeanOptions, grid={"size": [3, 5, 7]})
def mean_filter(noisy: np.ndarray, options: MeanOptions) -> np.ndarray:
    """Mean of a square window, through OpenCV."""
    import cv2

    return per_image(noisy, lambda image: cv2.blur(image, (options.size, options.size)))

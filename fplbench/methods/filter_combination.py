"""Combination of mean, median and Gaussian filter."""

import numpy as np
from pydantic import Field

from fplbench.denoising.registry import OddSize, method, per_image
from fplbench.options import Options

GRID = {"mean_size": [1, 3, 5], "median_size": [1, 3, 5], "gaussian_size": [1, 3, 5]}


class CombinationOptions(Options):
    """Options of the filter combination."""

    mean_size: OddSize = Field(3, description="Side of the mean filter's window, pixels.")
    median_size: OddSize = Field(3, description="Side of the median filter's window, pixels.")
    gaussian_size: OddSize = Field(3, description="Side of the Gaussian filter's kernel, pixels.")
    gaussian_sigma: float = Field(0.8, gt=0, le=99, description="Standard deviation of the Gaussian kernel, pixels.")


@method("filter_combination", label="Filt. Comb.", cites="dong2023", group="filters", options=CombinationOptions, grid=GRID)
def filter_combination(noisy: np.ndarray, options: CombinationOptions) -> np.ndarray:
    """Mean, then median, then Gaussian filter: the paper's combination, its order as its scores suggest."""
    import cv2

    mean_window = (options.mean_size, options.mean_size)
    gaussian_window = (options.gaussian_size, options.gaussian_size)

    def combine(image: np.ndarray) -> np.ndarray:
        median = cv2.medianBlur(cv2.blur(image, mean_window), options.median_size)
        return cv2.GaussianBlur(median, gaussian_window, options.gaussian_sigma)

    return per_image(noisy, combine)

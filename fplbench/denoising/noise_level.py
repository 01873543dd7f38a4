"""Estimate of the noise level of one image, for methods that need it as an input."""

import numpy as np

COLOURS = 4
NEGLIGIBLE = 1e-6  # grey levels; the detail that rounding leaves in a flat image


def estimate_noise(image: np.ndarray) -> float:
    """Standard deviation of Gaussian noise, from the median absolute deviation of the image's finest wavelet detail.

    Args:
        image: (H, W), grey levels.

    Returns:
        Grey levels; 0 for an image without any diagonal detail, for which scikit-image's estimate is NaN.

    Source:
        Donoho and Johnstone 1994, through skimage.restoration.estimate_sigma.
    """
    import pywt
    from skimage.restoration import estimate_sigma

    grey_levels = image.astype(np.float64)
    if np.abs(pywt.dwt2(grey_levels, "db2")[1][2]).max() < NEGLIGIBLE:
        return 0.0
    # scikit-image would take a last axis of up to four pixels for colour channels.
    return float(estimate_sigma(grey_levels.T if grey_levels.shape[1] <= COLOURS else grey_levels))

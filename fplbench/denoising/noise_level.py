"""Estimate of the noise level of one image, for methods that need it as an input."""

import numpy as np

NEGLIGIBLE = 1e-6  # grey levels; the detail that rounding leaves in a flat image
NORMAL_MAD = 0.6744897501960817  # median of the absolute value of a standard normal variable


def estimate_noise(image: np.ndarray) -> float:
    """Standard deviation of Gaussian noise, from the median absolute deviation of the image's finest wavelet detail.

    Args:
        image: (H, W), grey levels.

    Returns:
        Grey levels; 0 for an image without any diagonal detail.

    Source:
        Donoho and Johnstone 1994. The value is that of skimage.restoration.estimate_sigma, whose import takes longer than the
        estimates of a run.
    """
    import pywt

    detail = np.abs(pywt.dwt2(image.astype(np.float64), "db2")[1][2])
    if detail.max() < NEGLIGIBLE:
        return 0.0
    return float(np.median(detail[detail > 0])) / NORMAL_MAD

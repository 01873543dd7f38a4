"""Noise of a tissue, where it is flat."""

import numpy as np

from fplbench.datasets import reference_noise

ENOUGH = 20_000  # places of a tissue that are looked at; more make the estimate hardly better


def whole_places(image: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Where the fine detail is that of the image: away from its border, from padding, and from values that are cut off.

    Args:
        image: float32 (H, W).
        valid: uint8 (H, W), 0 where the image has padding, else 255.

    Returns:
        uint8 (H, W), 0 or 255. The lowest and the highest value of the image count as cut off: scanners store what is below
        the lowest value that they can store as that value, and its noise is lost.
    """
    import cv2

    low, high, *_ = cv2.minMaxLoc(image, valid)
    above = np.nextafter(np.float32(low), np.float32(np.inf)).item()
    below = np.nextafter(np.float32(high), np.float32(-np.inf)).item()
    return reference_noise.whole_places(cv2.bitwise_and(cv2.inRange(image, above, below), valid))


def noise_of(details: tuple[np.ndarray, ...], slope: np.ndarray, places: np.ndarray) -> tuple[float, ...] | None:
    """Standard deviation of the noise of a tissue before and after, as `reference_noise` estimates that of whole images.

    The result is that of white noise. CT noise is correlated: reconstruction kernels pass little of the highest frequencies,
    which the detail consists of, so the standard deviation of the pixels is higher than the estimate. Most denoisers
    remove the highest frequencies first, so the ratio of after to before is lower than that of the standard deviations. The noise
    power spectrum shows both.

    Args:
        details: `fine_detail` of each image.
        slope: `mean_slope` of the smoothed image before.
        places: uint8 (H, W), the tissue, without places that are not whole.

    Returns:
        One value for each image; None if there are fewer than 1,000 places.
    """
    return reference_noise.noise_at(details, slope, places, ENOUGH)

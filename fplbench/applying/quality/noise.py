"""Noise of an image, where it is flat."""

from typing import NamedTuple

import numpy as np

from fplbench.datasets.reference_noise import FEWEST, FLAT, NORMAL_MAD, SMOOTHING

ENOUGH = 20_000  # places of a tissue that are looked at; more make the estimate hardly better
REACH = 7  # pixels; side of the square around a place on which its detail depends, and a neighbour more


class Flatness(NamedTuple):
    """An image without its noise, as far as smoothing removes it.

    Attributes:
        smooth: float32 (H, W), the image after a Gaussian filter.
        slope: float32 (H, W), length of its gradient.
    """

    smooth: np.ndarray
    slope: np.ndarray


def flatness(image: np.ndarray, smoothing: float = SMOOTHING) -> Flatness:
    """Smooth an image, float32 (H, W), with a Gaussian filter of a standard deviation in pixels, and find its slope."""
    import cv2

    smooth = cv2.GaussianBlur(image, (0, 0), smoothing)
    return Flatness(smooth, cv2.magnitude(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)))


def fine_detail(image: np.ndarray) -> np.ndarray:
    """The finest diagonal wavelet detail (Daubechies, two vanishing moments) at every pixel, float32 (H, W).

    The squares of the filter sum to 1: the detail of white noise has the standard deviation of the noise.
    """
    import cv2
    import pywt

    high = np.array(pywt.Wavelet("db2").dec_hi, np.float32)
    return cv2.sepFilter2D(image, cv2.CV_32F, high, high)


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
    inside = cv2.bitwise_and(cv2.inRange(image, np.nextafter(np.float32(low), np.float32(np.inf)).item(),
                                         np.nextafter(np.float32(high), np.float32(-np.inf)).item()), valid)  # fmt: skip
    edge = REACH // 2
    inside[:edge], inside[-edge:], inside[:, :edge], inside[:, -edge:] = 0, 0, 0, 0
    return cv2.erode(inside, np.ones((REACH, REACH), np.uint8), borderValue=0)


def noise_of(details: tuple[np.ndarray, ...], slope: np.ndarray, places: np.ndarray) -> tuple[float, ...] | None:
    """Standard deviation of the noise of images of the same content, at the same flat places.

    The median absolute value of the finest diagonal wavelet detail over 0.6745 (Donoho and Johnstone 1994, doi
    10.1093/biomet/81.3.425), as `fplbench.datasets.reference_noise` has it for whole images: of the places, only the flattest
    quarter counts, since vessels and edges have fine detail too.

    The result is that of white noise. CT noise is correlated: reconstruction kernels pass little of the highest frequencies,
    which this detail consists of, so the standard deviation of the pixels is higher than the estimate. Most denoisers
    remove the highest frequencies first, so the ratio of after to before is lower than that of the standard deviations. The noise
    power spectrum shows both.

    Args:
        details: `fine_detail` of each image.
        slope: of the smoothed image; float32 (H, W).
        places: uint8 (H, W), the tissue, without places that are not whole.

    Returns:
        One value for each image; None if there are fewer than 1,000 places.
    """
    found = np.flatnonzero(places != 0)  # of truth values it is faster
    if len(found) < FEWEST:
        return None
    found = found[:: max(1, len(found) // ENOUGH)]
    slopes = slope.ravel()[found]
    flat = found[slopes <= np.quantile(slopes, FLAT)]
    return tuple(float(np.median(np.abs(detail.ravel()[flat]))) / NORMAL_MAD for detail in details)

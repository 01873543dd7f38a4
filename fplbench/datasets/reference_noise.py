"""The noise that the clean images have of their own, before any is added."""

from collections.abc import Iterable, Sequence

import numpy as np

FEWEST = 1000  # unclipped places in an image; of the flat ones among them, the standard error is then about 7 %
FLAT = 0.25  # share of the unclipped places that is used, the one with the smallest gradients
SMOOTHING = 2.0  # pixels; gradients of the smoothed image are those of anatomy, hardly of noise
NORMAL_MAD = 0.674490  # median of the absolute value of a standard normal variable


def reference_noise(images: Iterable[np.ndarray]) -> float:
    """Standard deviation of the noise in clean images, in grey levels.

    The median absolute deviation of the finest diagonal wavelet detail (Daubechies, two vanishing moments), as in Donoho and
    Johnstone 1994, doi 10.1093/biomet/81.3.425; the median over the images. Where an image is clipped, its noise is cut off:
    places whose detail depends on a pixel of value 0 or 255, or on a neighbour of one, do not count. Of the others, only the
    flattest quarter does, because edges and vessels have fine detail too; where an image is small, some of that is left. The
    detail is that of the highest frequencies, so noise that the reconstruction or resizing of an image has smoothed is
    underestimated.

    Args:
        images: uint8 (N, H, W), or its images one by one.

    Returns:
        The standard deviation; NaN if no image has 1,000 unclipped places.
    """
    estimates = [estimate for image in images if np.isfinite(estimate := _estimate(np.asarray(image)))]
    return float(np.median(estimates)) if estimates else float("nan")


def _estimate(image: np.ndarray) -> float:
    """The standard deviation of the noise in one image; NaN if too little of it is unclipped."""
    import pywt

    high = pywt.Wavelet("db2").dec_hi  # its squares sum to 1, so the detail of white noise has the noise's standard deviation
    if min(image.shape) < len(high) + 2:
        return float("nan")
    clipped = np.pad((image == 0) | (image == 255), 1)
    spoilt = _windows(_windows(clipped, [1] * 3), [1] * len(high)) > 0
    if np.count_nonzero(~spoilt) < FEWEST:
        return float("nan")
    slope = _windows(_slope(image), [1 / len(high)] * len(high))
    flat = ~spoilt & (slope <= np.quantile(slope[~spoilt], FLAT))
    return float(np.median(np.abs(_windows(image.astype(np.float32), high)[flat]))) / NORMAL_MAD


def _slope(image: np.ndarray) -> np.ndarray:
    """Length of the gradient of the smoothed image."""
    import cv2

    smooth = cv2.GaussianBlur(image.astype(np.float32), (0, 0), SMOOTHING)
    return np.hypot(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1))


def _windows(values: np.ndarray, weights: Sequence[float]) -> np.ndarray:
    """Weighted sums over the square windows that lie within an array, with the same weights along rows and columns."""
    for axis in (0, 1):
        length = values.shape[axis] - len(weights) + 1
        parts = [np.float32(weight) * values.take(range(start, start + length), axis) for start, weight in enumerate(weights)]
        values = np.sum(parts, axis=0)
    return values

"""The noise that the clean images have of their own, before any is added."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

FEWEST = 1000  # unclipped places in an image; of the flat ones among them, the standard error is then about 7 %
FLAT = 0.25  # share of the unclipped places that is used, the one with the smallest gradients
SMOOTHING = 2.0  # pixels; gradients of the smoothed image are those of anatomy, hardly of noise
BEFORE, BEHIND = 2, 1  # pixels before and behind a place, along rows and columns, that its detail depends on
FILL = 5  # pixels; a square of this side that has a single value has no noise: it fills what was not measured
ROWS = 32  # that are filtered at once
NORMAL_MAD = 0.674490  # median of the absolute value of a standard normal variable


def reference_noise(images: Iterable[np.ndarray]) -> float:
    """Standard deviation of the noise in clean images, in grey levels.

    The median absolute deviation of the finest diagonal wavelet detail (Daubechies, two vanishing moments), as in Donoho and
    Johnstone 1994, doi 10.1093/biomet/81.3.425; the median over the images. Where an image is clipped, its noise is cut off,
    and where 5x5 pixels have the same value, it has none, as outside the field of view of a CT: places whose detail depends on
    a pixel of value 0 or 255 or of such a square, or on a neighbour of one, do not count. Of the others, only the flattest
    quarter does, because edges and vessels have fine detail too; where an image is small, some of that is left. The
    detail is that of the highest frequencies, so noise that the reconstruction or resizing of an image has smoothed is
    underestimated.

    Args:
        images: uint8 (N, H, W), or its images one by one.

    Returns:
        The standard deviation; NaN if no image has 1,000 places that count.
    """
    estimates = [estimate for image in images if np.isfinite(estimate := _estimate(np.asarray(image)))]
    return float(np.median(estimates)) if estimates else float("nan")


def _estimate(image: np.ndarray) -> float:
    """The standard deviation of the noise in one image; NaN if too few of its places count."""
    import cv2

    if min(image.shape) < BEFORE + BEHIND + 3:
        return float("nan")
    grey = image.astype(np.float32)
    places = whole_places(cv2.bitwise_and(cv2.inRange(image, 1, 254), _varied(image)))
    found = noise_at((fine_detail(grey),), mean_slope(flatness(grey).slope), places)
    return found[0] if found else float("nan")


def _varied(image: np.ndarray) -> np.ndarray:
    """Where an image is not filled with a value: uint8 (H, W), 0 in squares of a single value that lie in it, else 255."""
    import cv2

    square = np.ones((FILL, FILL), np.uint8)
    lowest = cv2.erode(image, square, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    highest = cv2.dilate(image, square, borderType=cv2.BORDER_CONSTANT, borderValue=255)
    return cv2.bitwise_not(cv2.dilate(cv2.compare(lowest, highest, cv2.CMP_EQ), square))


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
    """The finest diagonal wavelet detail (Daubechies, two vanishing moments) at every pixel, float32 (H, W); 0 at the border.

    The squares of the filter sum to 1: the detail of white noise has the standard deviation of the noise.
    """
    import pywt

    high = np.array(pywt.Wavelet("db2").dec_hi, np.float32)
    detail = np.zeros_like(image)
    for top in range(BEFORE, len(image) - BEHIND, ROWS):  # parts that fit into the processor's cache take half the time
        part = image[top - BEFORE : top + ROWS + BEHIND]
        detail[top : min(top + ROWS, len(image) - BEHIND), BEFORE:-BEHIND] = _weighted(_weighted(part, high).T, high).T
    return detail


def mean_slope(slope: np.ndarray) -> np.ndarray:
    """The mean slope, float32 (H, W), over the pixels that the detail at each place depends on."""
    import cv2

    side = BEFORE + 1 + BEHIND
    return cv2.boxFilter(slope, cv2.CV_32F, (side, side), anchor=(BEFORE, BEFORE))


def whole_places(usable: np.ndarray) -> np.ndarray:
    """Where the fine detail is that of the image: away from its border and from pixels that are clipped or padding.

    Args:
        usable: uint8 (H, W), 0 where a pixel is clipped or padding, else 255.

    Returns:
        uint8 (H, W), 0 where the detail depends on such a pixel or on a neighbour of one, else 255.
    """
    import cv2

    side = BEFORE + BEHIND + 3
    places = cv2.erode(usable, np.ones((side, side), np.uint8), anchor=(BEFORE + 1, BEFORE + 1), borderValue=255)
    places[:BEFORE], places[:, :BEFORE], places[-BEHIND:], places[:, -BEHIND:] = 0, 0, 0, 0
    return places


def noise_at(
    details: tuple[np.ndarray, ...], slope: np.ndarray, places: np.ndarray, most: int | None = None
) -> tuple[float, ...] | None:
    """Standard deviation of the noise of images of the same content, at the same flat places.

    Args:
        details: `fine_detail` of each image.
        slope: `mean_slope` of the smoothed image.
        places: uint8 (H, W), 0 where a place does not count.
        most: about how many places to look at; all if None.

    Returns:
        One value for each image, from the flattest quarter of the places; None if there are fewer than 1,000 of them.
    """
    found = np.flatnonzero(places != 0)  # of truth values it is faster
    if len(found) < FEWEST:
        return None
    found = found[:: max(1, len(found) // most)] if most else found
    slopes = slope.ravel()[found]
    flat = found[slopes <= np.quantile(slopes, FLAT)]
    return tuple(float(np.median(np.abs(detail.ravel()[flat]))) / NORMAL_MAD for detail in details)


def _weighted(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted sums of as many successive rows as there are weights.

    OpenCV's filters are faster, but how they round depends on the processor.
    """
    rows = len(values) - len(weights) + 1
    total = weights[0] * values[:rows]
    product = np.empty_like(total)
    for start, weight in enumerate(weights[1:], 1):
        total += np.multiply(values[start : start + rows], weight, out=product)
    return total

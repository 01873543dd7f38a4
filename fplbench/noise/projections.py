"""Parallel projections of an image, and filtered back-projection (Kak and Slaney 1988, chapter 3).

The same as `radon` and `iradon` of scikit-image, which take more than twice the time: OpenCV interpolates here. The centre of
rotation is the centre of the image, so that mirrored images have mirrored projections.
"""

import numpy as np


def angles(views: int) -> np.ndarray:
    """Angles of the views in radians, at equal distances over half a turn."""
    return np.arange(views) * (np.pi / views)


def project(image: np.ndarray, views: int) -> np.ndarray:
    """Sums along parallel rays, one pixel apart, through the circle inscribed in an image.

    Args:
        image: float32 (N, N); what lies outside the circle is not seen.
        views: number of angles over half a turn.

    Returns:
        float32 (views, N), in units of the image times pixels.
    """
    import cv2

    size = len(image)
    centre = (size - 1) / 2
    seen = np.where(inscribed_circle(size), image, np.float32(0))
    sums = np.empty((views, size), np.float32)
    for row, angle in zip(sums, angles(views), strict=True):
        cos, sin = np.cos(angle), np.sin(angle)
        rotation = np.array([[cos, sin, centre * (1 - cos - sin)], [-sin, cos, centre * (1 - cos + sin)]])
        rotated = cv2.warpAffine(seen, rotation, (size, size), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        row[:] = cv2.reduce(rotated, 0, cv2.REDUCE_SUM)[0]
    return sums


def reconstruct(sums: np.ndarray) -> np.ndarray:
    """Filtered back-projection with the ramp filter of Ramachandran and Lakshminarayanan and linear interpolation.

    Args:
        sums: float32 (views, N), as from `project`.

    Returns:
        float32 (N, N), zero outside the inscribed circle.
    """
    import cv2

    views, size = sums.shape
    centre = (size - 1) / 2
    filtered = _ramp_filtered(sums)
    image = np.zeros((size, size), np.float32)
    for row, angle in zip(filtered, angles(views), strict=True):
        cos, sin = np.cos(angle), np.sin(angle)
        # The pixel at (y, x) lies on the ray at (x - c) cos - (y - c) sin from the centre.
        ray = np.array([[cos, -sin, centre * (1 - cos + sin)], [0, 0, 0]])
        image += cv2.warpAffine(row[None], ray, (size, size), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    image *= np.float32(np.pi / views)
    image[~inscribed_circle(size)] = 0
    return image


def inscribed_circle(size: int) -> np.ndarray:
    """The pixels whose centres lie in the circle inscribed in a square image, bool (size, size)."""
    offset = np.arange(size) - (size - 1) / 2
    return offset[:, None] ** 2 + offset**2 <= (size / 2) ** 2


def _ramp_filtered(sums: np.ndarray) -> np.ndarray:
    """The rows convolved with h(0) = 1/4, h(n) = -1 / (pi n)^2 for odd n and 0 for even n (Kak and Slaney, eq. 61)."""
    import scipy.fft

    size = sums.shape[1]
    length = scipy.fft.next_fast_len(2 * size, real=True)
    distance = np.minimum(np.arange(length), length - np.arange(length))
    kernel = np.where(distance % 2 == 1, -1 / (np.pi * np.maximum(distance, 1)) ** 2, 0)
    kernel[0] = 0.25
    ramp = scipy.fft.rfft(kernel).real.astype(np.float32)
    return scipy.fft.irfft(scipy.fft.rfft(sums, length, axis=1) * ramp, length, axis=1)[:, :size]

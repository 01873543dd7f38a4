"""Shapes on the pixel grid: discs, and ellipses with a soft edge."""

import math

import numpy as np

FINE = 16  # parts of a pixel, along an axis, by which the border of a sharp disc is drawn
SAMPLES = 5  # along each side of a pixel: a pixel has the mean over its area, as in images that were shrunk


def surround(size: int) -> int:
    """Width of the surroundings of a lesion, pixels: 2 in an image of side 256, in proportion to the side, at least 1."""
    return max(1, round(2 * size / 256))


def disc(radius: int) -> np.ndarray:
    """A disc as a structuring element: uint8 (2 radius + 1, 2 radius + 1), 1 up to `radius` from the centre."""
    rows, columns = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    return (rows**2 + columns**2 <= radius**2).astype(np.uint8)


def dilated(mask: np.ndarray, radius: int) -> np.ndarray:
    """The pixels up to `radius` from those of a mask, these included, measured between centres: bool (H, W)."""
    import cv2

    return cv2.dilate(np.ascontiguousarray(mask).astype(np.uint8), disc(radius)).astype(bool)


def disc_coverage(side: int, radius: float) -> np.ndarray:
    """Share of each pixel that a centred disc covers, float64 (side, side); side is odd, the radius is in pixels."""
    fine = (np.arange(side * FINE) + 0.5) / FINE - side / 2
    inside = fine[:, None] ** 2 + fine**2 <= radius**2
    return inside.reshape(side, FINE, side, FINE).mean(axis=(1, 3))


def soft_ellipse(
    half: int, axes: tuple[float, float], angle: float, softness: float, offset: tuple[float, float] = (0.0, 0.0)
) -> np.ndarray:
    """Profile of an ellipse with a soft edge, (1 - erf(d / softness)) / 2 at the distance d outwards from its edge.

    The distance is measured along the ray from the centre, which is exact for circles.

    Args:
        half: half of the side of the result.
        axes: the two half-axes, pixels.
        angle: of the first axis, radians, from the columns to the rows.
        softness: pixels; 0 for a sharp edge.
        offset: row and column of the centre, from the middle of the result, pixels.

    Returns:
        float64 (2 half + 1, 2 half + 1) in [0, 1], the mean over the area of each pixel.
    """
    from scipy.special import erf

    fine = (np.arange((2 * half + 1) * SAMPLES) + 0.5) / SAMPLES - half - 0.5
    rows, columns = fine[:, None] - offset[0], fine[None, :] - offset[1]
    along = (columns * math.cos(angle) + rows * math.sin(angle)) / axes[0]
    across = (rows * math.cos(angle) - columns * math.sin(angle)) / axes[1]
    relative = np.hypot(along, across)
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = np.where(relative > 0, np.hypot(rows, columns) * (1 - 1 / relative), -min(axes))
        profile = (1 - erf(distance / max(softness, 1e-9))) / 2
    side = 2 * half + 1
    return profile.reshape(side, SAMPLES, side, SAMPLES).mean(axis=(1, 3))

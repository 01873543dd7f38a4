"""Where in a slice lesions are inserted, so that none touches another, a real one or the end of the region."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fplbench.lesions.insert_shapes import Ellipse, MovedNodule, draw_ellipse
from fplbench.lesions.options import InsertionOptions
from fplbench.lesions.shapes import dilated
from fplbench.lesions.units import WHITE

TRIES = 10
"""Lesions that are drawn before a place counts as full; each has its own size."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What lesions are inserted into.

    Attributes:
        image: uint8 (H, W).
        lesions: uint8 (H, W), the real lesions.
        region: bool (H, W), where lesions may lie.
        contrast: range of their contrast, HU.
        scale: HU per grey level.
        pixel_mm: size of a pixel.
        ring: width of the surroundings of a lesion, pixels.
        nodules: nodules that can be moved here.
    """

    image: np.ndarray
    lesions: np.ndarray
    region: np.ndarray
    contrast: tuple[float, float]
    scale: float
    pixel_mm: float
    ring: int
    nodules: Sequence[MovedNodule] = ()


@dataclass(frozen=True, slots=True)
class Placed:
    """A lesion in its place: top left corner of its square, what it adds there in grey levels, and its pixels."""

    lesion: Ellipse | MovedNodule
    corner: tuple[int, int]
    change: np.ndarray
    mask: np.ndarray


def place_lesions(ground: Ground, options: InsertionOptions, rng: np.random.Generator) -> list[Placed]:
    """Draw lesions, and a place for each, uniformly among those where it and its surroundings lie in the region.

    Returns:
        As many lesions as the options ask for, or fewer if no more fit. No lesion lies in the surroundings of another.
    """
    free = ground.region.copy()
    if ground.lesions.any():
        free &= ~dilated(ground.lesions > 0, ground.ring + 1)
    placed: list[Placed] = []
    for _ in range(rng.integers(options.lesions_per_image[0], options.lesions_per_image[1], endpoint=True)):
        found = _place(ground, free, options, rng)
        if found is None:
            break
        placed.append(found[0])
        rows, columns = np.ogrid[: free.shape[0], : free.shape[1]]
        free &= np.hypot(rows - found[1][0], columns - found[1][1]) > found[0].lesion.reach
    return placed


def insert(image: np.ndarray, placed: Sequence[Placed]) -> np.ndarray:
    """An image with lesions: uint8 (H, W), clipped to 0 to 255 and rounded; what no lesion changes stays as it is."""
    values = image.astype(np.float64)
    for each in placed:
        values[_square(each)] += each.change
    return np.rint(np.clip(values, 0, WHITE)).astype(np.uint8)


def mark(lesions: np.ndarray, placed: Sequence[Placed]) -> np.ndarray:
    """Lesion numbers of an image: those of the real lesions, and for the inserted ones the numbers after the highest."""
    numbers = lesions.copy()
    for number, each in enumerate(placed, start=int(lesions.max()) + 1):
        numbers[_square(each)][each.mask] = number
    return numbers


def _place(
    ground: Ground, free: np.ndarray, options: InsertionOptions, rng: np.random.Generator
) -> tuple[Placed, tuple[int, int]] | None:
    """A lesion and the pixel of its centre, or None if none of TRIES fits."""
    import cv2

    padded = np.pad(free, 1).astype(np.uint8)  # lesions end at the border of the image
    distances = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
    for _ in range(TRIES):
        lesion: Ellipse | MovedNodule
        if ground.nodules and rng.random() < options.moved:
            nodule = ground.nodules[int(rng.integers(len(ground.nodules)))]
            lesion = nodule.turned(int(rng.integers(4)), bool(rng.integers(2)))
        else:
            lesion = draw_ellipse(options, ground.contrast, ground.scale, ground.pixel_mm, ground.ring, rng)
        centres = np.argwhere(distances > lesion.reach)
        if len(centres):
            row, column = (int(each) for each in centres[rng.integers(len(centres))])
            return _put(ground.image, lesion, row, column), (row, column)
    return None


def _put(image: np.ndarray, lesion: Ellipse | MovedNodule, row: int, column: int) -> Placed:
    half = len(lesion.mask) // 2
    corner = row - half, column - half
    there = image[corner[0] : row + half + 1, corner[1] : column + half + 1]
    return Placed(lesion, corner, lesion.change(there), lesion.mask)


def _square(placed: Placed) -> tuple[slice, slice]:
    (top, left), (height, width) = placed.corner, placed.mask.shape
    return slice(top, top + height), slice(left, left + width)

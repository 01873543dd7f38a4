"""Regions of an image drawn as outlines: which pixels they contain, what several readers agree on, and how large it is."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Contour(NamedTuple):
    """A closed line through pixels of an image.

    Attributes:
        points: column and row of each point, int16 (n, 2).
        inclusion: whether the line surrounds a part of the lesion; False: a hole in it.
    """

    points: np.ndarray
    inclusion: bool = True


class Patch(NamedTuple):
    """A region of an image: the row and column of its top left corner, and the pixels from there, bool (h, w)."""

    top: int
    left: int
    mask: np.ndarray

    def paste(self, shape: tuple[int, int]) -> np.ndarray:
        """The region as a mask of the whole image.

        Args:
            shape: rows and columns of the image.

        Returns:
            bool (H, W).

        Raises:
            ValueError: a part of the region lies outside the image.
        """
        height, width = self.mask.shape
        if not (0 <= self.top <= shape[0] - height and 0 <= self.left <= shape[1] - width):
            raise ValueError(f"the region does not fit an image of {shape[0]}x{shape[1]} pixels")
        image = np.zeros(shape, bool)
        image[self.top : self.top + height, self.left : self.left + width] = self.mask
        return image


def interior(contours: Sequence[Contour]) -> Patch | None:
    """The pixels inside contours of one lesion in one image.

    A contour runs through the first pixels outside the region, so the line itself belongs to no region. The line around a
    hole does not belong to the lesion either (Armato et al. 2011, Medical Physics 38(2), section II.C).

    Args:
        contours: the contours, in any order.

    Returns:
        The region, cropped to its pixels; None if there are none.
    """
    import cv2

    region = agreement([_inside(contour.points) for contour in contours if contour.inclusion], 1)
    holes = [contour.points.astype(np.int32) for contour in contours if not contour.inclusion]
    if region is None or not holes:
        return region
    mask = region.mask.astype(np.uint8)
    for hole in holes:
        cv2.fillPoly(mask, [hole - (region.left, region.top)], 0)  # the line too
    return crop(region._replace(mask=mask.astype(bool)))


def _inside(points: np.ndarray) -> Patch:
    """The pixels inside a closed line, without those on it."""
    import cv2

    corner = points.min(axis=0).astype(np.int32)
    width, height = (points.max(axis=0) - corner + 1).tolist()
    mask, line = np.zeros((height, width), np.uint8), [points - corner]
    cv2.fillPoly(mask, line, 1)
    cv2.polylines(mask, line, True, 0)
    return Patch(int(corner[1]), int(corner[0]), mask.astype(bool))


def crop(patch: Patch) -> Patch | None:
    """A region without empty rows and columns around it; None if it has no pixel."""
    rows, columns = np.flatnonzero(patch.mask.any(axis=1)), np.flatnonzero(patch.mask.any(axis=0))
    if not len(rows):
        return None
    inside = patch.mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return Patch(patch.top + int(rows[0]), patch.left + int(columns[0]), inside.copy())


def agreement(patches: Sequence[Patch], votes: int) -> Patch | None:
    """The pixels that lie in at least `votes` of the regions; None if there are none."""
    if len(patches) < votes:
        return None
    top, left = min(patch.top for patch in patches), min(patch.left for patch in patches)
    bottom = max(patch.top + patch.mask.shape[0] for patch in patches)
    right = max(patch.left + patch.mask.shape[1] for patch in patches)
    count = np.zeros((bottom - top, right - left), np.uint16)
    for patch in patches:
        height, width = patch.mask.shape
        count[patch.top - top : patch.top - top + height, patch.left - left : patch.left - left + width] += patch.mask
    return crop(Patch(top, left, count >= votes))


def overlap(first: Patch, second: Patch) -> int:
    """Number of pixels that two regions share."""
    top, left = max(first.top, second.top), max(first.left, second.left)
    bottom = min(first.top + first.mask.shape[0], second.top + second.mask.shape[0])
    right = min(first.left + first.mask.shape[1], second.left + second.mask.shape[1])
    if top >= bottom or left >= right:
        return 0
    parts = [
        patch.mask[top - patch.top : bottom - patch.top, left - patch.left : right - patch.left] for patch in (first, second)
    ]
    return int(np.count_nonzero(parts[0] & parts[1]))


def diameter(mask: np.ndarray, spacing: tuple[float, float]) -> float:
    """The largest distance between two points of a region, whose pixels are rectangles and not points.

    Args:
        mask: bool (H, W), with at least one pixel.
        spacing: distance of rows and of columns, mm.

    Returns:
        The diameter in mm.
    """
    import cv2

    rows = np.flatnonzero(mask.any(axis=1))
    first = mask[rows].argmax(axis=1)
    last = mask.shape[1] - mask[rows, ::-1].argmax(axis=1)
    corners = [np.stack([rows + down, side], axis=1) for down in (0, 1) for side in (first, last)]
    hull = cv2.convexHull(np.concatenate(corners).astype(np.int32))[:, 0] * np.array(spacing, float)
    return float(np.sqrt(((hull[:, None] - hull[None]) ** 2).sum(axis=-1).max()))

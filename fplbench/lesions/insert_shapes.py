"""What is inserted: ellipses with a soft edge, and nodules that are cut out of other slices."""

import math
from dataclasses import dataclass

import numpy as np

from fplbench.lesions.options import InsertionOptions
from fplbench.lesions.outlines import diameter
from fplbench.lesions.shapes import dilated, soft_ellipse

FAINTEST = 0.002
"""Smallest share of the contrast that changes a pixel; anything less is below half a grey level."""
ROOM = 1
"""Pixels between the surroundings of two lesions, or between those of a lesion and the end of the region."""
LEAST_LUNG = 0.8
"""Smallest share of lung around a nodule that can be moved; those with less lie at the pleura, a vessel or the heart."""


@dataclass(frozen=True, slots=True)
class Ellipse:
    """An ellipse with a soft edge, of one contrast.

    Attributes:
        size: its largest diameter, pixels.
        contrast: in grey levels.
        weight: share of the contrast of each pixel, float64, a square of odd side around the centre.
        reach: distance from the centre within which it and its surroundings lie, pixels.
    """

    size: float
    contrast: float
    weight: np.ndarray
    reach: float

    kind = "ellipse"
    malignancy = None

    @property
    def mask(self) -> np.ndarray:
        """The pixels with at least half of the contrast."""
        return self.weight >= 0.5

    def change(self, _: np.ndarray) -> np.ndarray:
        """What is added to an image there, in grey levels, whatever it shows."""
        return self.contrast * self.weight


@dataclass(frozen=True, slots=True)
class MovedNodule:
    """A nodule of an image, less the lung around it.

    Attributes:
        malignancy: its mean rating; None if not known.
        mask: its pixels, a square of odd side around the centre.
        difference: grey levels above the median of the lung around it.
        weight: 1 in the nodule and its surroundings, 0.5 in the lung as far again around these, and 0 elsewhere, and in
            tissue that it touches.
        reach: distance from the centre within which all of it lies, pixels.
    """

    malignancy: float | None
    mask: np.ndarray
    difference: np.ndarray
    weight: np.ndarray
    reach: float

    kind = "moved_nodule"

    @property
    def size(self) -> float:
        """Its largest diameter in this image, pixels, which is smaller than that of the whole nodule."""
        return diameter(self.mask, (1, 1))

    def turned(self, quarters: int, mirrored: bool) -> "MovedNodule":
        """The nodule, turned by quarters of a full turn and mirrored, which needs no interpolation."""
        mask, difference, weight = (
            np.rot90(each[:, ::-1] if mirrored else each, quarters) for each in (self.mask, self.difference, self.weight)
        )
        return MovedNodule(self.malignancy, mask, difference, weight, self.reach)

    def change(self, image: np.ndarray) -> np.ndarray:
        """What is added to an image there, so that the nodule replaces what it shows, above the lung around it."""
        lung = np.median(image[(self.weight > 0) & (self.weight < 1)])
        return self.weight * (lung + self.difference - image)


def draw_ellipse(
    options: InsertionOptions, contrast: tuple[float, float], scale: float, pixel_mm: float, ring: int, rng: np.random.Generator
) -> Ellipse:
    """Draw an ellipse.

    Args:
        options: ranges of size, axis ratio and softness.
        contrast: range in HU.
        scale: HU per grey level.
        pixel_mm: size of a pixel.
        ring: width of the surroundings, pixels.
        rng: random generator.
    """
    ratio = rng.uniform(*options.axis_ratio)
    least = pixel_mm * math.sqrt(4 * options.min_pixels / (math.pi * ratio))
    low, high = options.size_mm
    size = rng.uniform(max(low, least), max(high, least)) / pixel_mm
    softness = rng.uniform(*options.softness_mm) / pixel_mm
    height = rng.uniform(*contrast) / scale
    angle, *offset = rng.uniform((0, -0.5, -0.5), (math.pi, 0.5, 0.5))
    extent = size / 2 + max(2 * softness, ring) + 0.5  # erf(2) = 0.995; the offset is half a pixel at most
    weight = soft_ellipse(math.ceil(extent), (size / 2, size / 2 * ratio), angle, softness, (offset[0], offset[1]))
    weight[weight < FAINTEST] = 0
    return Ellipse(size, height, weight, extent + ROOM)


def cut_out(
    image: np.ndarray,
    lesions: np.ndarray,
    number: int,
    lung: np.ndarray,
    ring: int,
    malignancy: float | None = None,
) -> MovedNodule | None:
    """Cut a nodule out of an image, with its surroundings, but without the pleura and vessels that it touches.

    Args:
        image: uint8 (H, W).
        lesions: uint8 (H, W), 0 outside, else the lesion's number in the image.
        number: the number of the nodule.
        lung: bool (H, W), False for tissue.
        ring: width of the surroundings, pixels.
        malignancy: its mean rating, if it is known.

    Returns:
        The nodule, or None if it is too near to the border of the image, or has too little lung around it.
    """
    import cv2

    rows, columns = np.nonzero(lesions == number)
    middle = (rows.min() + rows.max()) // 2, (columns.min() + columns.max()) // 2
    extent = float(np.hypot(rows - middle[0], columns - middle[1]).max()) + 2 * ring
    half = math.ceil(extent)
    if any(place < half or place + half >= side for place, side in zip(middle, image.shape, strict=True)):
        return None
    crop = tuple(slice(place - half, place + half + 1) for place in middle)
    mask = lesions[crop] == number
    near, far = (dilated(mask, width) for width in (ring, 2 * ring))
    free = lung[crop] & (lesions[crop] == 0)
    if np.count_nonzero(far & free) < LEAST_LUNG * np.count_nonzero(far & ~mask):
        return None
    around = far & ~near & free
    # The median, because the soft edge of the nodule reaches into what is around it.
    difference = image[crop].astype(np.float64) - np.median(image[crop][around])
    # Tissue beside the outline is the edge of the nodule, or pleura and vessels, which go on beyond the surroundings.
    _, pieces = cv2.connectedComponents((far & ~mask & ~free).astype(np.uint8), connectivity=4)
    other = np.isin(pieces, pieces[far & ~near & ~free])
    weight = np.where(near, 1.0, 0.5 * around) * ~other
    return MovedNodule(malignancy, mask, difference, weight, extent + ROOM)

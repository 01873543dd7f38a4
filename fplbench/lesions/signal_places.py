"""Where signals may lie in an image, and how large they are there."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fplbench.errors import InputError
from fplbench.lesions.regions import even_soft_tissue, lungs, shows_lung
from fplbench.noise.window import index_window

FINE = 16  # parts of a pixel, along an axis, by which a disc's border is drawn
SURROUNDINGS = 1.5  # radii
SHARE = 0.8  # of the surroundings that must lie in the lungs or in soft tissue; the rest can be vessels
EVEN_MEAN = (20, 220)  # grey levels of the surroundings in a radiograph
EVEN_SPREAD = 15  # their largest standard deviation, grey levels
GREY_LEVELS = 255


@dataclass(frozen=True)
class Scale:
    """What grey levels and pixels of a stack stand for.

    Attributes:
        unit: HU, or grey levels.
        low: the value of grey level 0.
        per_level: units in a grey level.
        pixel: side of a pixel, mm; the median over the images.
    """

    unit: str
    low: float
    per_level: float
    pixel: float


def disc(side: int, radius: float) -> np.ndarray:
    """Share of each pixel that a centred disc covers, float64 (side, side); side is odd, the radius is in pixels."""
    fine = (np.arange(side * FINE) + 0.5) / FINE - side / 2
    inside = fine[:, None] ** 2 + fine**2 <= radius**2
    return inside.reshape(side, FINE, side, FINE).mean(axis=(1, 3))


def patch_side(radius: float) -> int:
    """Side of the patch that an observer sees of a signal, pixels: three radii to each side of its centre."""
    return 2 * int(np.ceil(3 * radius)) + 1


def read_scale(path: str | os.PathLike[str], index: Sequence[Mapping[str, str]], size: int) -> Scale:
    """Unit and spacing of a stack, from its index.

    Args:
        path: the stack, for messages.
        index: its index.
        size: side of its images, pixels.

    Raises:
        InputError: no image has a pixel spacing.
    """
    window = index_window(index)
    low, high = window or (0.0, float(GREY_LEVELS))
    spacings = [found for row in index if (found := _spacing(row, size)) is not None]
    if not spacings:
        raise InputError(
            f"{path} has no pixel spacing, which signals of known size need: leave the data set out of detectability.contrasts."
        )
    return Scale("HU" if window else "grey levels", low, (high - low) / GREY_LEVELS, float(np.median(spacings)))


def places(image: np.ndarray, radius: float, scale: Scale) -> np.ndarray:
    """Pixels with even surroundings, far enough from the border for the patch of a signal.

    The surroundings are the disc of 1.5 radii. In CT, 80 % of it lie in the lungs or, where the grey window does not show
    them, in an even piece of soft tissue (`fplbench.lesions.regions`). Elsewhere its mean lies between 20 and 220 grey levels,
    and its standard deviation is at most 15.

    Args:
        image: uint8 (H, W).
        radius: of the signal, pixels.
        scale: of the stack.

    Returns:
        int (K, 2), row and column of each.
    """
    import cv2

    kernel = disc(2 * int(np.ceil(SURROUNDINGS * radius)) + 1, SURROUNDINGS * radius)
    kernel /= kernel.sum()
    values = image.astype(np.float64)
    if scale.unit == "HU":
        hu = (scale.low + values * scale.per_level).astype(np.float32)
        window = scale.low, scale.low + GREY_LEVELS * scale.per_level
        region = lungs(hu) if shows_lung(window) else even_soft_tissue(hu, scale.pixel)
        fits = cv2.filter2D(region.astype(np.float64), -1, kernel) >= SHARE
    else:
        mean, square = (cv2.filter2D(each, -1, kernel) for each in (values, values**2))
        fits = (mean >= EVEN_MEAN[0]) & (mean <= EVEN_MEAN[1]) & (square - mean**2 <= EVEN_SPREAD**2)
    border = patch_side(radius) // 2
    inner = np.zeros_like(fits)
    inner[border : image.shape[0] - border, border : image.shape[1] - border] = True
    return np.argwhere(fits & inner)


def _spacing(row: Mapping[str, str], size: int) -> float | None:
    """Side of a pixel of a stack, mm: images are padded to a square before they are resized."""
    try:
        spacing = (float(row["row_spacing_mm"]) * float(row["column_spacing_mm"])) ** 0.5
        return spacing * max(int(row["rows"]), int(row["columns"])) / size
    except (KeyError, ValueError):
        return None

"""Where signals may lie in an image, and how large they are there."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fplbench.errors import InputError
from fplbench.lesions.regions import host_region
from fplbench.lesions.shapes import disc_coverage
from fplbench.lesions.units import per_level, pixel_size
from fplbench.noise.window import index_window

SURROUNDINGS = 1.5  # radii
SHARE = 0.8  # of the surroundings that must lie in the lungs or in soft tissue; the rest can be vessels
EVEN_MEAN = (20, 220)  # grey levels of the surroundings in a radiograph
EVEN_SPREAD = 15  # their largest standard deviation, grey levels


@dataclass(frozen=True)
class Scale:
    """What grey levels and pixels of a stack stand for.

    Attributes:
        window: HU of the grey levels 0 and 255; None where the unit is grey levels.
        pixel: side of a pixel, mm; the median over the images.
    """

    window: tuple[float, float] | None
    pixel: float

    @property
    def unit(self) -> str:
        """HU, or grey levels."""
        return "HU" if self.window else "grey levels"

    @property
    def per_level(self) -> float:
        """Units in a grey level."""
        return per_level(self.window) if self.window else 1.0


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
        InputError: no image has a pixel spacing, or the index lacks columns for it.
    """
    sizes = [found for row in index if (found := pixel_size(path, row, size)) is not None]
    if not sizes:
        raise InputError(
            f"{path} has no pixel spacing, which signals of known size need: leave the data set out of detectability.contrasts."
        )
    return Scale(index_window(index), float(np.median(sizes)))


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
        int16 (K, 2), row and column of each; small, because those of all images of a stack are kept.
    """
    import cv2

    kernel = disc_coverage(2 * int(np.ceil(SURROUNDINGS * radius)) + 1, SURROUNDINGS * radius)
    kernel /= kernel.sum()
    if scale.window:
        region = host_region(image, scale.window, scale.pixel)
        fits = cv2.filter2D(region.astype(np.float64), -1, kernel) >= SHARE
    else:
        values = image.astype(np.float64)
        mean, square = (cv2.filter2D(each, -1, kernel) for each in (values, values**2))
        fits = (mean >= EVEN_MEAN[0]) & (mean <= EVEN_MEAN[1]) & (square - mean**2 <= EVEN_SPREAD**2)
    border = patch_side(radius) // 2
    inner = np.zeros_like(fits)
    inner[border : image.shape[0] - border, border : image.shape[1] - border] = True
    return np.argwhere(fits & inner).astype(np.int16)

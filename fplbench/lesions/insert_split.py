"""The stacks into which lesions are inserted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fplbench.datasets.sampling.options import SPLITS
from fplbench.errors import InputError
from fplbench.lesions.regions import host_region, shows_lung
from fplbench.lesions.shapes import surround
from fplbench.lesions.stack import open_lesions
from fplbench.lesions.units import per_level, pixel_size, to_hu
from fplbench.noise.window import index_window
from fplbench.stacks import open_stack, read_index


@dataclass(frozen=True, slots=True)
class Split:
    """A stack of CT slices, and what is known about it.

    Attributes:
        name: train, validation or test.
        images: uint8 (N, H, W).
        index: a row for each image.
        lesions: uint8 (N, H, W), 0 outside, else the number of the real lesion in its image.
        rows: a row for each real lesion and image.
        window: HU of the grey levels 0 and 255.
        pixel_mm: size of a pixel of each image; None if it is not known.
    """

    name: str
    images: np.ndarray
    index: Sequence[Mapping[str, str]]
    lesions: np.ndarray
    rows: Sequence[Mapping[str, str]]
    window: tuple[float, float]
    pixel_mm: Sequence[float | None]

    @property
    def scale(self) -> float:
        """HU per grey level."""
        return per_level(self.window)

    @property
    def ring(self) -> int:
        """Width of the surroundings of a lesion."""
        return surround(max(self.images.shape[1:]))

    @property
    def in_lungs(self) -> bool:
        """Whether lesions lie in the lungs, or else in soft tissue."""
        return shows_lung(self.window)

    def hu(self, position: int) -> np.ndarray:
        """An image in HU, float32."""
        return to_hu(self.images[position], self.window)

    def region(self, position: int, pixel_mm: float) -> np.ndarray:
        """Where lesions may lie in an image."""
        return host_region(self.images[position], self.window, pixel_mm)


def open_split(path: Path) -> Split:
    """Open a stack with its index and its lesions.

    Raises:
        InputError: the stack is not named as a split, lacks its index or its lesions, is not of CT in HU, or its index does
            not tell the size of the pixels.
    """
    if path.stem not in SPLITS:
        raise InputError(f"{path} is not named train.npy, validation.npy or test.npy, so the number of its images is not known.")
    images = open_stack(path)
    index = read_index(path, len(images))
    window = index_window(index)
    if window is None:
        raise InputError(
            f"Lesions are inserted into CT images only, and the index of {path} has no window in HU (window_low, window_high) "
            "that holds for all images; leave this data set out (inserted.datasets)."
        )
    lesions, rows = open_lesions(path)
    sizes = [pixel_size(path, row, max(images.shape[1:])) for row in index]
    return Split(path.stem, images, index, lesions, rows, window, sizes)

"""Hounsfield units (HU) of the images of a stack, for noises that are made in CT projections."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fplbench.errors import InputError
from fplbench.lesions.units import pixel_size
from fplbench.stacks import map_array

LARGEST_DEVIATION = 3 / 255
"""Median difference between a clean image and its windowed HU, above which the two do not belong together."""


def hounsfield_path(clean: str | os.PathLike[str]) -> Path:
    """The stack of HU beside a stack of images: {split}_hu.npy beside {split}.npy."""
    return Path(clean).with_name(f"{Path(clean).stem}_hu.npy")


@dataclass(frozen=True)
class Hounsfield:
    """The HU of N images.

    Attributes:
        values: (N, H, W), HU.
        pixel_mm: side of the pixels of each image, mm, (N,).
    """

    values: np.ndarray
    pixel_mm: np.ndarray

    def of(self, part: slice) -> dict[str, np.ndarray]:
        """What `low_dose_ct` gets for some of the images: hu, float32 (n, H, W), and pixel_mm, (n, 1, 1)."""
        hu = self.values[part].astype(np.float32)
        return {"hu": hu, "pixel_mm": self.pixel_mm[part].reshape(-1, 1, 1)}


def in_memory(hu: np.ndarray, shape: tuple[int, ...], options: Any) -> Hounsfield:
    """The HU of images in memory; raises InputError unless they have the shape of the images."""
    if not isinstance(hu, np.ndarray) or hu.shape != shape or hu.dtype.kind not in "iuf":
        found = f"an array of {hu.dtype} and shape {hu.shape}" if isinstance(hu, np.ndarray) else type(hu).__name__
        raise InputError(f"hu is {found}, but must be an array of numbers of shape {shape}, as the clean images.")
    return Hounsfield(hu, np.full(shape[0], options.field_of_view / max(shape[1:])))


def open_hounsfield(
    clean: str | os.PathLike[str], index: Sequence[Mapping[str, str]], shape: tuple[int, ...], options: Any
) -> Hounsfield:
    """Open the HU of a clean stack, memory-mapped.

    Args:
        clean: the .npy file of the clean stack.
        index: its index.
        shape: its shape (N, H, W).
        options: with the field_of_view, for images whose index does not give the size of a pixel.

    Raises:
        InputError: there are no HU, or they have another shape or type.
    """
    hu = _open(hounsfield_path(clean), shape)
    size = max(shape[1:])
    known = [pixel_size(clean, row, size) if row.get("row_spacing_mm") else None for row in index]
    return Hounsfield(hu, np.array([options.field_of_view / size if each is None else each for each in known]))


def _open(file: Path, shape: tuple[int, ...]) -> np.ndarray:
    again = "draw the data set again with `fplbench sample --hu` (CT only)."
    try:
        hu = map_array(file)
    except FileNotFoundError:
        raise InputError(f"{file}, which has the Hounsfield units that this noise needs, does not exist; {again}") from None
    except (OSError, ValueError):
        raise InputError(f"{file} is not a readable .npy array; {again}") from None
    if hu.dtype != np.int16 or hu.shape != shape:
        raise InputError(f"{file} holds {hu.dtype} values of shape {hu.shape}, but must hold int16 of shape {shape}; {again}")
    return hu


def windowed(hu: np.ndarray, window: tuple[float, float]) -> np.ndarray:
    """HU as grey values in [0,1], float32."""
    low, high = window
    return np.clip((hu - np.float32(low)) / np.float32(high - low), 0, 1, dtype=np.float32)


def check_images(clean: np.ndarray, hu: np.ndarray, window: tuple[float, float]) -> None:
    """Raise InputError if images (N, H, W) in [0,1] and their HU do not show the same."""
    for image, values in zip(clean, hu, strict=True):
        if np.median(np.abs(windowed(values, window) - image)) > LARGEST_DEVIATION:
            raise InputError(
                f"The Hounsfield units in the window {list(window)} do not give the clean images: they belong to other images "
                "or to another window; draw the data set again with `fplbench sample --hu`."
            )

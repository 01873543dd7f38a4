"""The noisy images of pairs: acquired together with the clean ones, not made from them."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fplbench.errors import InputError
from fplbench.stacks import check_same_images, index_path, open_stack


def pair_path(clean: str | os.PathLike[str]) -> Path:
    """The stack of noisy images beside a clean one: {split}_noisy.npy beside {split}.npy."""
    return Path(clean).with_name(f"{Path(clean).stem}_noisy.npy")


@dataclass(frozen=True)
class Pair:
    """The noisy images of N pairs, (N, H, W): float32 in [0,1], or uint8."""

    values: np.ndarray

    def of(self, part: slice) -> dict[str, np.ndarray]:
        """What `as_acquired` gets for some of the images: pair, float32 (n, H, W) in [0,1]."""
        values = self.values[part]
        return {"pair": values.astype(np.float32) / np.float32(255) if values.dtype == np.uint8 else values}


def pair_in_memory(noisy: np.ndarray, shape: tuple[int, ...]) -> Pair:
    """The noisy images of pairs in memory; raises InputError unless they are of the type, shape and range of the clean ones."""
    if not isinstance(noisy, np.ndarray) or noisy.dtype != np.float32 or noisy.shape != shape:
        found = f"an array of {noisy.dtype} and shape {noisy.shape}" if isinstance(noisy, np.ndarray) else type(noisy).__name__
        raise InputError(f"pair is {found}, but must be a float32 array of shape {shape}, as the clean images.")
    if not (noisy.min() >= 0 and noisy.max() <= 1):
        raise InputError(f"pair has values from {noisy.min():g} to {noisy.max():g}; they must lie in [0,1].")
    return Pair(noisy)


def open_pair(clean: str | os.PathLike[str], shape: tuple[int, ...]) -> Pair:
    """Open the noisy images beside a clean stack, memory-mapped.

    Args:
        clean: the .npy file of the clean stack.
        shape: its shape (N, H, W).

    Raises:
        InputError: there are none, or they have another shape or type.
    """
    file = pair_path(clean)
    if not file.exists():
        raise InputError(
            f"{file}, which has the noisy images of the pairs, does not exist: only a data set with loader: paired has them; "
            "draw it with `fplbench sample`."
        )
    noisy = open_stack(file)
    if noisy.shape != shape:
        raise InputError(f"{file} has the shape {noisy.shape} and {clean} has {shape}; draw the data set again.")
    if index_path(file).exists():
        check_same_images(clean, file)
    return Pair(noisy)

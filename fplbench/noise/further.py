"""What some noises need besides the images: their Hounsfield units, or the noisy images that were acquired with them."""

import os
from collections.abc import Mapping, Sequence

import numpy as np

from fplbench.errors import InputError
from fplbench.noise.hounsfield import Hounsfield, in_memory, open_hounsfield
from fplbench.noise.pairs import Pair, open_pair, pair_in_memory
from fplbench.noise.registry import Noise
from fplbench.options import Options

Further = Hounsfield | Pair


def given_in_memory(
    entry: Noise, options: Options, shape: tuple[int, ...], hu: np.ndarray | None, pair: np.ndarray | None
) -> Further | None:
    """What a noise needs besides images in memory of this shape.

    Raises:
        InputError: it is missing, given in vain, or that of other images.
    """
    if (hu is None) != (entry.needs != "hu"):
        raise InputError(
            f"{entry.name} needs the images in Hounsfield units: give them as hu, an array like the clean images."
            if hu is None
            else f"{entry.name} does not use Hounsfield units; leave out hu."
        )
    if (pair is None) != (entry.needs != "pair"):
        raise InputError(
            f"{entry.name} needs the noisy images that were acquired with the clean ones: give them as pair, an array like the "
            "clean images."
            if pair is None
            else f"{entry.name} is made from the clean images alone; leave out pair."
        )
    if hu is not None:
        return in_memory(hu, shape, options)
    return None if pair is None else pair_in_memory(pair, shape)


def open_beside(
    entry: Noise, options: Options, clean: str | os.PathLike[str], index: Sequence[Mapping[str, str]], shape: tuple[int, ...]
) -> Further | None:
    """Open what a noise needs besides a clean stack of this index and shape.

    Raises:
        InputError: it does not exist, or does not fit the stack.
    """
    if entry.needs == "hu":
        return open_hounsfield(clean, index, shape, options)
    return open_pair(clean, shape) if entry.needs == "pair" else None

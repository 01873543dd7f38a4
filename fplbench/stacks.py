"""The contract between all stages: a stack of 8-bit images in one .npy file, with an index .csv beside it."""

import csv
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from fplbench.errors import InputError
from fplbench.files import replacing, write_csv

INDEX_COLUMNS = ("image_id", "patient", "source", "slice")


def open_stack(path: str | os.PathLike) -> np.ndarray:
    """Open a stack, memory-mapped and read-only.

    Args:
        path: the .npy file.

    Returns:
        uint8 array (N, H, W), C-ordered.

    Raises:
        InputError: the file is missing, is no .npy file, or holds anything else than a uint8 (N, H, W) array.
    """
    path = Path(path)
    try:
        images = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise InputError(f"{path} does not exist.") from None
    except OSError as error:
        raise InputError(f"{path} is not a readable .npy array: {error.strerror or error}.") from None
    except (ValueError, EOFError):  # whose texts advise to unpickle what is no array
        raise InputError(f"{path} is not a readable .npy array: it is another kind of file, or cut short.") from None
    check_images(images, str(path))
    return images


def check_images(images: np.ndarray, what: str) -> None:
    """Raise InputError, naming `what`, unless `images` is a uint8 array (N, H, W) with at least one pixel."""
    if images.dtype != np.uint8:
        raise InputError(f"{what} holds {images.dtype} values; a stack holds uint8.")
    if images.ndim != 3 or 0 in images.shape:
        raise InputError(f"{what} has shape {images.shape}; a stack has shape (images, height, width).")
    if isinstance(images, np.memmap) and not images.flags.c_contiguous:
        raise InputError(f"{what} is in Fortran order; a stack is in C order.")


def describe_size(images: np.ndarray) -> str:
    """The size of a stack in words."""
    count, height, width = images.shape
    return f"{count} images of {height}x{width} pixels"


def check_same_images(path: str | os.PathLike, other: str | os.PathLike) -> None:
    """Raise InputError where both stacks have an index, and the other's names other images, or in another order."""
    if not (index_path(path).exists() and index_path(other).exists()):
        return
    expected, names = ([row.get("image_id") for row in read_index(stack)] for stack in (path, other))
    if names != expected:
        place = next((i for i, pair in enumerate(zip(names, expected, strict=False)) if pair[0] != pair[1]), len(names))
        raise InputError(
            f"{index_path(other)} names other images than that of {path}, from number {place} (counted from 0): every image "
            "has to be there, in the same order."
        )


def index_path(path: str | os.PathLike) -> Path:
    """The index file of a stack file."""
    return Path(path).with_suffix(".csv")


def read_index(path: str | os.PathLike) -> list[dict[str, str]]:
    """Read the index of a stack: one dictionary of strings an image, in the order of the images.

    Args:
        path: the .npy file (its index has the same name, ending in .csv).

    Raises:
        InputError: the index is missing.
    """
    file = index_path(path)
    try:
        with open(file, newline="") as stream:
            return list(csv.DictReader(stream))
    except FileNotFoundError:
        raise InputError(f"{file}, the index of {path}, does not exist.") from None


def write_stack(path: str | os.PathLike, images: np.ndarray, index: Iterable[Mapping] | None = None) -> None:
    """Write a stack and its index; both appear complete or not at all.

    Args:
        path: the .npy file to write; missing folders are made.
        images: uint8 array (N, H, W).
        index: one mapping an image, in order, with at least image_id, patient, source and slice (a pandas data frame
            will do); None writes the images alone.

    Raises:
        InputError: the images are no uint8 (N, H, W) array, or the index is of another length.
    """
    check_images(images, f"the array for {path}")
    with creating_stack(path, images.shape, index) as stack:
        stack[:] = images


@contextmanager
def creating_stack(
    path: str | os.PathLike,
    shape: tuple[int, int, int],
    index: Iterable[Mapping] | None = None,
    dtype: np.dtype | type = np.uint8,
) -> Iterator[np.ndarray]:
    """Context that yields a writable memory-mapped array, for results larger than memory.

    The file appears under its name, with its index, when the block ends without an exception; else nothing stays behind.

    Raises:
        InputError: the name does not end in .npy, or the index is of another length.
    """
    path = Path(path)
    if path.suffix != ".npy":
        raise InputError(f"{path} does not end in .npy, as the file of a stack does; its index is the .csv beside it.")
    rows = None if index is None else _rows(index)
    if rows is not None and len(rows) != shape[0]:
        raise InputError(f"the index for {path} has {len(rows)} rows for {shape[0]} images.")
    with replacing(path) as temporary:
        stack = np.lib.format.open_memmap(temporary, mode="w+", dtype=dtype, shape=tuple(shape))
        yield stack
        stack.flush()
        del stack
        if rows is not None:
            write_csv(index_path(path), rows)


def iterate(images: np.ndarray, chunk: int = 64) -> Iterator[slice]:
    """Slices of at most `chunk` images that cover the stack in order."""
    for start in range(0, len(images), chunk):
        yield slice(start, min(start + chunk, len(images)))


def _rows(index: Iterable[Mapping]) -> list[Mapping]:
    if hasattr(index, "to_dict"):
        return index.to_dict("records")
    return list(index)

"""The contract between all stages: a stack of 8-bit images in one .npy file, with an index .csv beside it."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from fplbench.errors import InputError
from fplbench.files import check_seal, read_csv, replacing, write_csv

INDEX_COLUMNS = ("image_id", "patient", "source", "slice")
REQUIRED_COLUMNS = ("image_id", "patient")
"""Columns without which nothing can be drawn or scored."""
MAGIC = b"\x93NUMPY"
LONGEST_HEADER = 10_000  # bytes; NumPy's own limit


def map_array(path: str | os.PathLike[str], check: bool = True) -> np.ndarray:
    """Open the array of a .npy file of any origin, memory-mapped and read-only; nothing in it can run, or fill the memory.

    Args:
        path: the file.
        check: whether to read it all and compare it with its seal, if it has one.

    Returns:
        The array, of any type but objects and of any shape.

    Raises:
        OSError: the file is missing or cannot be read.
        ValueError: it is not a .npy file of numbers, or is truncated or otherwise damaged. The message does not name it.
    """
    if check:
        check_seal(path)
    with open(path, "rb") as stream:
        start = stream.read(len(MAGIC) + 6)
    length = int.from_bytes(start[len(MAGIC) + 2 :][: 2 if start[len(MAGIC) :][:1] == b"\1" else 4], "little")
    # NumPy reads the header as a whole before it compares its length with a limit.
    if not start.startswith(MAGIC) or length > LONGEST_HEADER:
        raise ValueError("it is another kind of file, or truncated")
    try:
        with np.errstate(over="ignore"):
            array = np.load(path, mmap_mode="r", allow_pickle=False, max_header_size=LONGEST_HEADER)
    except OSError:
        raise
    except Exception:  # NumPy takes the header for a Python expression, and what is none can raise anything
        raise ValueError("it is another kind of file, or truncated") from None
    if isinstance(array, np.memmap) and array.nbytes and Path(path).stat().st_size != array.offset + array.nbytes:
        raise ValueError("it has more bytes than its header says, so that one of the two is damaged")
    return array


def open_stack(path: str | os.PathLike[str], check: bool = True) -> np.ndarray:
    """Open a stack, memory-mapped and read-only.

    Args:
        path: the .npy file.
        check: whether to read it all and compare it with its seal, if it has one.

    Returns:
        uint8 array (N, H, W), C-ordered.

    Raises:
        InputError: the file is missing, is not a .npy file, or holds anything but a uint8 array (N, H, W).
    """
    path = Path(path)
    try:
        images = map_array(path, check)
    except FileNotFoundError:
        raise InputError(f"{path} does not exist.") from None
    except OSError as error:
        raise InputError(f"{path} is not a readable .npy array: {error.strerror or error}.") from None
    except ValueError as error:
        raise InputError(f"{path} is not a readable .npy array: {error}.") from None
    check_images(images, str(path))
    return images


def check_images(images: np.ndarray, what: str) -> None:
    """Raise InputError, naming `what`, unless `images` is a uint8 array (N, H, W) with at least one pixel."""
    if not isinstance(images, np.ndarray):
        raise InputError(f"{what} is of type {type(images).__name__}; a stack is a NumPy array.")
    if images.dtype != np.uint8:
        hint = " Convert images in [0, 1] by np.rint(255 * images).astype(np.uint8)." if images.dtype.kind == "f" else ""
        raise InputError(f"{what} holds {images.dtype} values; a stack holds uint8.{hint}")
    if images.ndim != 3 or 0 in images.shape:
        raise InputError(f"{what} has shape {images.shape}; a stack has shape (images, height, width).")
    if isinstance(images, np.memmap) and images.flags.f_contiguous and not images.flags.c_contiguous:
        raise InputError(f"{what} is in Fortran order; a stack is in C order.")


def describe_size(images: np.ndarray) -> str:
    """Describe the size of a stack in words."""
    count, height, width = images.shape
    return f"{count} images of {height}x{width} pixels"


def check_same_images(path: str | os.PathLike[str], other: str | os.PathLike[str]) -> None:
    """Raise InputError if both stacks have an index and the two list different images, or the same in another order."""
    if not (index_path(path).exists() and index_path(other).exists()):
        return
    expected, found = ([row["image_id"] for row in read_index(stack)] for stack in (path, other))
    if found != expected:
        place = next((i for i, pair in enumerate(zip(found, expected, strict=False)) if pair[0] != pair[1]), len(found))
        raise InputError(
            f"{index_path(other)} does not list the same images as {index_path(path)}: they differ from image {place} on "
            "(counted from 0). Every image must be there, in the same order."
        )


def index_path(path: str | os.PathLike[str]) -> Path:
    """The index file of a stack file."""
    return Path(path).with_suffix(".csv")


def read_index(path: str | os.PathLike[str], images: int | None = None) -> list[dict[str, str]]:
    """Read the index of a stack: one dictionary of strings for each image, in the order of the images.

    Args:
        path: the .npy file; its index has the same name and ends in .csv.
        images: number of images in the stack, if it is to be compared with the number of rows.

    Raises:
        InputError: the index is missing or is not a table, lacks the column image_id or patient, lists an image twice, or
            has another number of rows than there are images.
    """
    file = index_path(path)
    if not file.exists():
        raise InputError(f"{file}, the index of {path}, does not exist.")
    rows = read_csv(file, REQUIRED_COLUMNS)
    check_index(rows, str(file), images)
    return rows


def check_index(rows: Sequence[Mapping[str, Any]], what: str, images: int | None = None) -> None:
    """Raise InputError, naming `what`, unless the rows are the index of a stack.

    Args:
        rows: one mapping for each image.
        what: the subject of the message, such as the name of the file.
        images: number of images in the stack, if it is to be compared with the number of rows.

    Raises:
        InputError: a row is not a mapping, lacks image_id or patient or has other keys than the first, an image_id occurs
            twice, or the number of rows is wrong.
    """
    first: dict[str, int] = {}
    for number, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise InputError(f"{what}: row {number} is of type {type(row).__name__}; each row must be a mapping.")
        for column in REQUIRED_COLUMNS:
            if column not in row:
                raise InputError(f"{what} has no column {column!r}; an index needs {' and '.join(REQUIRED_COLUMNS)}.")
        if row.keys() != rows[0].keys():
            raise InputError(f"{what}: row {number} has other columns than the first row.")
        name = str(row["image_id"])
        if name in first:
            raise InputError(
                f"{what} has the image_id {name!r} in rows {first[name]} and {number} (counted from 0); each image needs its own."
            )
        first[name] = number
    if images is not None and len(rows) != images:
        raise InputError(f"{what} must have one row for each image, but has {len(rows)} for {images}.")


def write_stack(path: str | os.PathLike[str], images: np.ndarray, index: Iterable[Mapping[str, Any]] | None = None) -> None:
    """Write a stack and its index; both appear complete or not at all.

    Args:
        path: the .npy file to write; missing folders are created.
        images: uint8 array (N, H, W).
        index: one mapping for each image, in order, with at least image_id and patient, and usually source and slice; or a
            pandas data frame with these columns. None writes the images alone.

    Raises:
        InputError: the images are not a uint8 array (N, H, W), or the index lacks a column, lists an image twice or has
            the wrong number of rows.
    """
    check_images(images, f"The array for {path}")
    with creating_stack(path, images.shape, index) as stack:
        stack[:] = images


def spread(count: int, most: int) -> np.ndarray:
    """At most so many of `count` positions, spread evenly, with the first and the last among them."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))


@contextmanager
def creating_stack(
    path: str | os.PathLike[str],
    shape: tuple[int, ...],
    index: Iterable[Mapping[str, Any]] | None = None,
    dtype: np.dtype | type = np.uint8,
) -> Iterator[np.ndarray]:
    """Context that yields a writable memory-mapped array, for results larger than memory.

    The file appears under its name, with its index, when the block ends without an exception; otherwise nothing is left
    behind. The index is checked at the start and written at the end: rows that the block changes are written as changed.

    Args:
        path: the .npy file to write; missing folders are created.
        shape: (N, H, W).
        index: as for `write_stack`.
        dtype: type of the values.

    Raises:
        InputError: the name does not end in .npy, or the index cannot be used.
    """
    path = Path(path)
    if path.suffix != ".npy":
        raise InputError(f"{path} does not end in .npy. A stack is a .npy file, with its index in the .csv file beside it.")
    rows = None if index is None else _rows(index)
    if rows is not None:
        check_index(rows, f"The index for {path}", shape[0])
    with replacing(path, sealed=True) as temporary:
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


def _rows(index: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    if hasattr(index, "to_dict"):  # a pandas data frame
        return index.to_dict("records")
    return list(index)

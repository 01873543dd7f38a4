"""Lesion stacks: which pixels of a stack belong to which lesion, with a table of the lesions beside them."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from fplbench.errors import InputError
from fplbench.files import read_csv, write_csv
from fplbench.stacks import creating_stack, describe_size, open_stack, read_index

COLUMNS = (
    "image_id", "lesion", "lesion_id", "patient", "kind", "shape", "readers", "size_mm", "malignancy", "pixels", "inserted",
)  # fmt: skip
"""Columns of the table. `lesion` is the number of the lesion in its image, `lesion_id` names it in all images."""
MOST = 255  # lesions in an image


def lesions_path(stack: str | os.PathLike[str]) -> Path:
    """The lesion stack of a stack: {split}_lesions.npy beside {split}.npy."""
    stack = Path(stack)
    return stack.with_name(f"{stack.stem}_lesions.npy")


def open_lesions(stack: str | os.PathLike[str], check: bool = True) -> tuple[np.ndarray, list[dict[str, str]]]:
    """Open the lesion stack of a stack, and read its table.

    Args:
        stack: the stack of images, with its index.
        check: as for `fplbench.open_stack`.

    Returns:
        uint8 (N, H, W), 0 outside, else the number of the lesion in its image; and a row for each lesion and image.

    Raises:
        InputError: a file is missing or malformed, the sizes differ, or the table lists other lesions than the stack has.
    """
    path = lesions_path(stack)
    images, lesions = open_stack(stack, check), open_stack(path, check)
    if lesions.shape != images.shape:
        raise InputError(f"{path} holds {describe_size(lesions)}; {stack} holds {describe_size(images)}. Both must be the same.")
    rows = read_csv(path.with_suffix(".csv"), COLUMNS)
    _check_table(path, lesions, rows, [row["image_id"] for row in read_index(stack, len(images))])
    return lesions, rows


def write_lesions(stack: str | os.PathLike[str], lesions: np.ndarray, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the lesion stack of a stack, and its table.

    Args:
        stack: the stack of images.
        lesions: uint8 (N, H, W), 0 outside, else the number of the lesion in its image.
        rows: a mapping with the keys COLUMNS for each lesion and image.
    """
    with creating_lesions(stack, lesions.shape) as (target, table):
        for place, image in enumerate(lesions):
            if image.any():
                target[place] = image
        table.extend(rows)


@contextmanager
def creating_lesions(
    stack: str | os.PathLike[str], shape: tuple[int, ...]
) -> Iterator[tuple[np.ndarray, list[Mapping[str, Any]]]]:
    """Context that yields a lesion stack and its table, to be filled, for stacks larger than memory.

    The stack is memory-mapped and zero at first. Images that the block does not write take no space in the file. The files
    appear when the block ends without an exception; otherwise nothing is left behind.

    Args:
        stack: the stack of images.
        shape: (N, H, W) of the stack.

    Yields:
        uint8 (N, H, W), for the number of the lesion of each pixel; and a list for the rows of the table.
    """
    path = lesions_path(stack)
    rows: list[Mapping[str, Any]] = []
    with creating_stack(path, shape) as lesions:
        yield lesions, rows
    write_csv(path.with_suffix(".csv"), rows, COLUMNS)


def _check_table(path: Path, lesions: np.ndarray, rows: Sequence[Mapping[str, str]], names: Sequence[str]) -> None:
    """Raise InputError unless the table lists exactly the lesions of the stack."""
    known = set(names)
    listed: dict[str, set[int]] = {}
    for row in rows:
        if row["image_id"] not in known:
            raise InputError(
                f"{path.with_suffix('.csv')} lists a lesion of {row['image_id']!r}, which is not an image of the stack."
            )
        if not row["lesion"].isdecimal():
            raise InputError(f"{path.with_suffix('.csv')}: the lesion {row['lesion']!r} of {row['image_id']!r} is not a number.")
        listed.setdefault(row["image_id"], set()).add(int(row["lesion"]))
    for name, image in zip(names, lesions, strict=True):
        found = set(np.unique(image[image > 0]).tolist())
        if found != listed.get(name, set()):
            raise InputError(
                f"{path} has the lesions {sorted(found)} in {name!r}, but its table lists {sorted(listed.get(name, set()))}."
            )


def share_of_annotations(lesions: np.ndarray, share: float) -> np.ndarray:
    """Which images of a stack keep their annotation, if only a share of those with lesions does: bool (N,).

    They are spread evenly over the images with lesions, from the first on. An image without lesions keeps its annotation, which
    says so.

    Args:
        lesions: uint8 (N, H, W), 0 outside lesions.
        share: in (0, 1].
    """
    has_lesion = np.array([image.any() for image in lesions], bool)
    numbers = np.cumsum(has_lesion)  # 1 for the first image with a lesion
    kept = np.ceil(numbers * share) > np.ceil((numbers - 1) * share)
    return kept | ~has_lesion

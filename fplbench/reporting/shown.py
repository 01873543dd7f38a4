"""Which test images figures and pages show, and stacks of these alone, for when the others are deleted."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fplbench.lesions.stack import lesions_path
from fplbench.reporting.lesion_crops import largest_lesions
from fplbench.reporting.stacks import open_lesions, open_matching, open_stack
from fplbench.stacks import index_path, read_index, write_stack

PathLike = str | os.PathLike[str]


def shown_images(clean: PathLike, number: int) -> list[int]:
    """Choose images of a stack: those with the largest annotated lesions first, then others: the middle one, then between them.

    The first images of a longer choice are those of a shorter one, so figures and pages show the same.

    Args:
        clean: the stack, with its index. Without a lesion stack beside it, no image has a lesion.
        number: how many images to choose; all, if there are fewer.

    Returns:
        Positions, counted from 0.

    Raises:
        InputError: a stack is missing or malformed.
    """
    total = len(open_stack(clean))
    chosen: list[int] = []
    if lesions_path(clean).exists():
        names = [row["image_id"] for row in read_index(clean, total)]
        rows = open_lesions(clean)[1]
        largest, _ = largest_lesions(rows, names, inserted=False, most=len(rows))
        chosen = [*dict.fromkeys(lesion.position for lesion in largest)][:number]
    others = [position for position in range(total) if position not in chosen]
    chosen += [others[place] for place in _halving(len(others))]
    return chosen[:number]


def keep_shown(folder: PathLike, clean: PathLike, stacks: Sequence[PathLike], number: int) -> None:
    """Copy the shown images of some stacks.

    Args:
        folder: where the copies are written, with the names of the stacks.
        clean: the clean stack, with its index.
        stacks: noisy or denoised ones, with the same images.
        number: how many images are shown; all, if there are fewer.

    Raises:
        InputError: a stack is missing or malformed, or has other images than the clean one.
    """
    images = open_stack(clean)
    index, positions = read_index(clean, len(images)), shown_images(clean, number)
    for stack in map(Path, stacks):
        shown = open_matching(stack, images, clean)[positions]
        write_stack(Path(folder, stack.name), shown, [index[position] for position in positions])


def read_shown(stack: PathLike, clean: PathLike, positions: Sequence[int]) -> np.ndarray:
    """The shown images of a stack, uint8 (N, H, W), from a stack of all images or from one that `keep_shown` wrote.

    Args:
        stack: a noisy or denoised stack.
        clean: the clean stack, with its index.
        positions: the shown images of the clean stack, counted from 0, in the order of `shown_images`.

    Raises:
        InputError: a stack is missing or malformed, or has other images than the clean one.
    """
    images = open_stack(clean)
    index = read_index(clean, len(images))
    wanted = [index[position]["image_id"] for position in positions]
    if index_path(stack).exists() and [row["image_id"] for row in read_index(stack)] == wanted:
        return np.asarray(open_stack(stack))
    return np.asarray(open_matching(stack, images, clean)[list(positions)])


def _halving(length: int) -> list[int]:
    """The places of a list: the middle one, then those in the middle of both halves, and so on."""
    order: list[int] = []
    parts = [range(length)]
    while parts:
        part = parts.pop(0)
        if part:
            middle = len(part) // 2
            order.append(part[middle])
            parts += [part[:middle], part[middle + 1 :]]
    return order

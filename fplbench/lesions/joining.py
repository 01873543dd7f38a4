"""One stack of several, with the lesions of all of them."""

import os
import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from fplbench.errors import InputError
from fplbench.lesions.stack import creating_lesions, lesions_path, open_lesions
from fplbench.stacks import creating_stack, describe_size, iterate, open_stack, read_index

PathLike = str | os.PathLike[str]
Rows = list[dict[str, str]]
DRAW = "_draw-"
"""What comes before the number of the draw in an image_id."""


def image_of_draw(image_id: str) -> str:
    """The image_id without the number of its draw, if it has one."""
    return re.sub(rf"{DRAW}\d+$", "", image_id)


def join_stacks(out_path: PathLike, paths: Sequence[PathLike], draws: bool = False) -> None:
    """Write the images of several stacks as one, in the order given, with their index and their lesions.

    The index has the columns of all the stacks, in the order in which they first occur; they are empty for images whose own index
    lacks them. Files beside a stack other than its index and its lesions are not joined.

    Args:
        out_path: the stack to write; its lesion stack and their table appear beside it if the stacks have them.
        paths: the stacks, uint8 (N, H, W) of the same height and width, each with its index, and all or none with lesions.
        draws: whether the stacks show the same images, with different draws of a noise or several times the same stack. The
            image_id of the k-th then ends in _draw-k, and a lesion has one lesion_id in all of them.

    Raises:
        InputError: no stack is given, or `out_path` is one of them; a file is missing or damaged; the sizes differ; an image_id
            occurs in two stacks; with `draws`, the stacks show different images; or some of the stacks have lesions, and others
            none.
    """
    sources = [Path(path) for path in paths]
    if not sources:
        raise InputError("There is nothing to join: name at least one stack.")
    if Path(out_path).resolve() in [path.resolve() for path in sources]:
        raise InputError(
            f"{out_path} is one of the stacks to join, and would be overwritten: give the joined stack another name."
        )
    images = [open_stack(path) for path in sources]
    for path, stack in zip(sources, images, strict=True):
        if stack.shape[1:] != images[0].shape[1:]:
            raise InputError(
                f"{path} holds {describe_size(stack)}, but {sources[0]} {describe_size(images[0])}: stacks that are joined must "
                "have the same height and width."
            )
    indices = [read_index(path, len(stack)) for path, stack in zip(sources, images, strict=True)]
    (_check_equal if draws else _check_unique)(sources, indices)
    lesions = _open_lesions(sources)
    if draws:
        indices = [_of_draw(rows, number) for number, rows in enumerate(indices, start=1)]
        lesions = [(stack, _of_draw(rows, number)) for number, (stack, rows) in enumerate(lesions, start=1)]
    shape = sum(map(len, images)), *images[0].shape[1:]
    with ExitStack() as files:
        _copy(images, files.enter_context(creating_stack(out_path, shape, _joined(indices))))
        if lesions:
            numbers, table = files.enter_context(creating_lesions(out_path, shape))
            _copy([stack for stack, _ in lesions], numbers)
            table += [row for _, rows in lesions for row in rows]


def _check_unique(paths: Sequence[Path], indices: Sequence[Rows]) -> None:
    """Raise InputError if two stacks have an image_id in common."""
    first: dict[str, Path] = {}
    for path, rows in zip(paths, indices, strict=True):
        for row in rows:
            if row["image_id"] in first:
                raise InputError(
                    f"The image_id {row['image_id']!r} is in both {first[row['image_id']]} and {path}; an image needs its own."
                )
        first |= {row["image_id"]: path for row in rows}


def _check_equal(paths: Sequence[Path], indices: Sequence[Rows]) -> None:
    """Raise InputError unless all stacks show the same images in the same order."""
    ids = [[row["image_id"] for row in rows] for rows in indices]
    for path, own in zip(paths, ids, strict=True):
        if own != ids[0]:
            raise InputError(f"{path} shows other images than {paths[0]}, so that the two are not draws of the same images.")


def _of_draw(rows: Rows, number: int) -> Rows:
    """Rows whose image_id says the draw; see `image_of_draw`."""
    return [{**row, "image_id": f"{row['image_id']}{DRAW}{number}"} for row in rows]


def _open_lesions(paths: Sequence[Path]) -> list[tuple[np.ndarray, Rows]]:
    """The lesion stacks and their tables; empty where no stack has them."""
    without = [path for path in paths if not lesions_path(path).exists()]
    if len(without) == len(paths):
        return []
    if without:
        having = next(path for path in paths if path not in without)
        raise InputError(
            f"{having} has a lesion stack, but {without[0]} has none ({lesions_path(without[0])} does not exist): all or none of "
            "the stacks that are joined must have one."
        )
    return [open_lesions(path) for path in paths]


def _joined(indices: Sequence[Rows]) -> list[Mapping[str, str]]:
    """The rows of all, with the columns of all."""
    columns = dict.fromkeys(column for rows in indices for row in rows[:1] for column in row)
    return [{column: row.get(column, "") for column in columns} for rows in indices for row in rows]


def _copy(stacks: Sequence[np.ndarray], joined: np.ndarray) -> None:
    """Copy stacks into one, a part at a time."""
    start = 0
    for stack in stacks:
        for part in iterate(stack):
            joined[start + part.start : start + part.stop] = stack[part]
        start += len(stack)

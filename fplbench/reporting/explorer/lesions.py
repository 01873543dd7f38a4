"""The lesions in the shown images, with their outlines as lines."""

import os
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from fplbench.lesions.stack import lesions_path
from fplbench.reporting.lesion_crops import edges
from fplbench.reporting.stacks import open_lesions


def shown_lesions(
    clean: str | os.PathLike[str], image_ids: Sequence[str], positions: Sequence[int]
) -> list[list[dict[str, Any]]]:
    """The annotated lesions of some images of a stack, each with its name, its kind, its shape (mask or box) and its outline.

    Args:
        clean: the stack. Without a lesion stack beside it, no image has a lesion.
        image_ids: the images of the stack, in order.
        positions: which of them, counted from 0.

    Raises:
        InputError: the lesion stack or its table is malformed.
    """
    if not lesions_path(clean).exists():
        return [[] for _ in positions]
    masks, rows = open_lesions(clean)
    return [
        [
            {
                "name": row["lesion_id"],
                "kind": row["kind"],
                "shape": row["shape"],
                "edges": outline(masks[position] == int(row["lesion"])),
            }
            for row in rows
            if row["image_id"] == image_ids[position] and row["inserted"] == "0"
        ]
        for position in positions
    ]


def outline(mask: np.ndarray) -> list[list[int]]:
    """The outline of a mask as horizontal and vertical lines, as few as there can be.

    Args:
        mask: bool (H, W). Pixel (row, column) covers column to column + 1 and row to row + 1.

    Returns:
        Lines [x1, y1, x2, y2], with x1 <= x2 and y1 <= y2.
    """
    found = (edges(mask) + 0.5).astype(int)  # the middle of the first pixel is at (0, 0) in figures
    lines = []
    for along in (0, 1):
        own = found[found[:, 0, along] != found[:, 1, along], 0]  # where lines of length 1 start
        across = 1 - along
        own = own[np.lexsort((own[:, along], own[:, across]))]
        starts = np.flatnonzero((np.diff(own[:, across], prepend=-1) != 0) | (np.diff(own[:, along], prepend=-2) != 1))
        for start, end in pairwise([*starts.tolist(), len(own)]):
            line = [*own[start].tolist(), *own[end - 1].tolist()]
            line[2 + along] += 1
            lines.append(line)
    return lines

"""Which test images figures and pages show."""

import os

from fplbench.lesions.stack import lesions_path
from fplbench.reporting.lesion_crops import largest_lesions
from fplbench.reporting.stacks import open_lesions, open_stack
from fplbench.stacks import read_index


def shown_images(clean: str | os.PathLike[str], number: int) -> list[int]:
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

"""The slices of a file that holds many: which frames they are, where they lie, and the text for it in a header."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from fplbench.datasets.formats import fields

MAX_FRAMES = 2**16  # in a file
CLOSE = 0.0005  # mm; positions are kept to a thousandth


class Stack(NamedTuple):
    """Parallel slices of a file that belong together.

    Attributes:
        spacing: (row, column) spacing in mm, or (None, None).
        frames: numbers of the frames in the file, counted from 0, in the order of their positions.
        positions: along the normal of the slices, mm, ascending.
    """

    spacing: tuple[float | None, float | None]
    frames: Sequence[int]
    positions: Sequence[float]


def to_text(stacks: Sequence[Stack]) -> str:
    """Write stacks as text, in which frames of equal distance take one entry: `0.7,0.6;0,133,1,-340,2.5`.

    An entry has the first frame, the number of frames, the step from one frame to the next, the first position, and the
    distance of the positions.
    """
    return "|".join(
        ",".join("" if length is None else f"{length:.10g}" for length in stack.spacing) + ";" + " ".join(_runs(stack))
        for stack in stacks
    )


def from_text(text: str) -> list[Stack]:
    """Read what `to_text` wrote, with positions to a thousandth; ValueError or TypeError if it cannot have written it."""
    return [_stack(part) for part in text.split("|")] if text else []


def checked(text: str) -> str:
    """Return the text; ValueError or TypeError unless `to_text` could have written it."""
    from_text(text)
    return text


def _runs(stack: Stack) -> Iterator[str]:
    frames, positions = stack.frames, stack.positions
    between = round(float(np.median(np.diff(positions))), 6) if len(positions) > 1 else 0.0
    start = 0
    while start < len(frames):
        step = frames[start + 1] - frames[start] if start + 1 < len(frames) else 1
        first, stop = round(positions[start], 3), start + 1
        while (
            stop < len(frames)
            and frames[stop] - frames[start] == (stop - start) * step
            and abs(first + (stop - start) * between - positions[stop]) <= CLOSE
        ):
            stop += 1
        yield f"{frames[start]},{stop - start},{step},{first:.10g},{between:.10g}"
        start = stop


def _stack(text: str) -> Stack:
    spacing, _, runs = text.partition(";")
    row, column = (fields.length(value) for value in spacing.split(","))
    frames: list[int] = []
    positions: list[float] = []
    for run in runs.split(" "):
        first, count, step, position, between = run.split(",")
        own = range(int(count))
        if not 0 < len(own) <= MAX_FRAMES - len(frames):
            raise ValueError(f"{count} frames are impossible")
        frames += [int(first) + index * int(step) for index in own]
        positions += [round(fields.finite(position) + index * fields.finite(between), 3) for index in own]
    if min(frames) < 0 or max(frames) >= MAX_FRAMES:
        raise ValueError(f"there are no frames {min(frames)} to {max(frames)}")
    return Stack((row, column), frames, positions)

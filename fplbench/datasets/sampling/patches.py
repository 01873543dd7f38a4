"""Patches: squares of a slice at its own pixel spacing, in place of the whole slice."""

import numpy as np

from fplbench.datasets.sampling.display import content, to_eight_bit

Corner = tuple[int, int]
"""Row and column of the slice where a patch starts; negative where the slice is smaller than the patch."""

PLACES = 16  # tried in a slice
ENOUGH = 0.5  # of the pixels above 5 % of the range: the first place with as many is taken


def choose_corner(values: np.ndarray, window: tuple[float, float], size: int, random: np.random.Generator) -> Corner:
    """Choose the place of a patch: of 16 random ones the first with enough content, else the one with most of it.

    Args:
        values: (H, W), the slice.
        window: values shown as 0 and 255; content is what is above 5 % of the range between them.
        size: side of the patch, pixels.
        random: draws the places.
    """
    best, most = (0, 0), -1.0
    for corner in _corners(values.shape, size, random):
        share = content(to_eight_bit(cut(values, size, corner, np.nan), window, size))
        if share >= ENOUGH:
            return corner
        if share > most:
            best, most = corner, share
    return best


def visible(values: np.ndarray, size: int, corner: Corner) -> np.ndarray:
    """The part of a slice that a patch shows, (H, W), without a copy: smaller than the patch where the slice ends."""
    (top, left), (height, width) = corner, values.shape
    return values[max(top, 0) : min(top + size, height), max(left, 0) : min(left + size, width)]


def cut(values: np.ndarray, size: int, corner: Corner, fill: float) -> np.ndarray:
    """Cut a patch out of a slice.

    Args:
        values: (H, W), the slice or a mask of it.
        size: side of the patch, pixels.
        corner: where it starts.
        fill: value outside of the slice.

    Returns:
        Array (size, size) of the same type.
    """
    patch = np.full((size, size), fill, values.dtype)
    shown = visible(values, size, corner)
    top, left = (max(-start, 0) for start in corner)
    patch[top : top + shown.shape[0], left : left + shown.shape[1]] = shown
    return patch


def _corners(shape: tuple[int, ...], size: int, random: np.random.Generator) -> list[Corner]:
    """Random corners of patches within a slice, without repetitions. A side shorter than the patch is centred in it."""
    room = [side - size for side in shape]
    drawn = random.integers(0, [max(free, 0) + 1 for free in room], (PLACES, 2)).tolist()
    (down, across) = (None if free >= 0 else -(-free // 2) for free in room)
    return list(dict.fromkeys((top if down is None else down, left if across is None else across) for top, left in drawn))

"""The part of an image that a figure magnifies, and the corner of each panel in which it shows it."""

import math
from dataclasses import dataclass

import numpy as np

from fplbench.reporting.lesion_crops import crop_around, edges

INSET = 0.4
"""Most that the magnified part takes of the side of a panel."""
LEAST = 0.125
"""Least side of the part that is magnified, as a share of the side of the image."""
TRIED = 8, 32
"""The part with most detail is looked for in steps of an eighth of its side, and measured in at most 32x32 of its pixels."""
MOST_DETAIL = "the part with most detail (where the median step between neighbouring pixels is largest)"


@dataclass(frozen=True)
class Detail:
    """A square part of an image, magnified in a corner of the panel.

    Attributes:
        rows: the rows of the part.
        columns: its columns.
        at_bottom: whether the corner is a lower one.
        at_right: whether it is a right one.
        mask: the lesion, bool (H, W); None if the image has none.
    """

    rows: slice
    columns: slice
    at_bottom: bool
    at_right: bool
    mask: np.ndarray | None = None

    @property
    def side(self) -> int:
        """Side of the part, pixels."""
        return self.rows.stop - self.rows.start

    def dots(self, panel: int) -> int:
        """Dots for the side of a magnified pixel, in a panel whose shorter side has `panel` dots."""
        return max(1, int(INSET * panel / self.side))

    def outline(self) -> np.ndarray:
        """The outline of the lesion within the part, float (K, 2, 2): lines between points (x, y) of the part."""
        if self.mask is None:
            return np.empty((0, 2, 2))
        lines = edges(self.mask) + 0.5 - (self.columns.start, self.rows.start)
        return lines[((lines >= 0) & (lines <= self.side)).all(axis=(1, 2))]


def choose_detail(clean: np.ndarray, mask: np.ndarray | None = None) -> Detail:
    """Choose the part of an image to magnify and the corner to show it in.

    The part is a square around the lesion, or in the middle of a large one. In an image without a lesion it is that with most
    detail: where the median step between neighbouring pixels is largest. Its side is at least an eighth and at most about a
    fifth of that of the image, so that one corner does not cover it. Of the corners that do not, it is the one that covers the
    fewest pixels of the lesion, and then the one that covers the least detail.

    Args:
        clean: uint8 (H, W).
        mask: bool (H, W), the lesion.
    """
    shorter = min(clean.shape)
    reach = math.ceil(INSET * shorter)
    most = max(1, shorter - 2 * reach)
    least = min(max(1, round(LEAST * shorter)), most)
    steps = _steps(clean)
    if mask is None:
        rows, columns = _most_detailed(steps, least)
    else:
        around = crop_around(mask)
        side = min(max(least, *(part.stop - part.start for part in around)), most)
        rows, columns = (_middle(part, side, length) for part, length in zip(around, clean.shape, strict=True))

    def covered(corner: tuple[bool, bool]) -> tuple[bool, int, int]:
        low, high = (
            slice(length - reach, length) if far else slice(reach) for far, length in zip(corner, clean.shape, strict=True)
        )
        lesion = 0 if mask is None else int(mask[low, high].sum())
        return _overlap(low, rows) and _overlap(high, columns), lesion, int(steps[low, high].sum())

    at_bottom, at_right = min(((True, True), (True, False), (False, True), (False, False)), key=covered)
    return Detail(rows, columns, at_bottom, at_right, mask)


def _steps(image: np.ndarray) -> np.ndarray:
    """Steps in grey levels from each pixel to the next one in its row and in its column, added, int16 (H, W)."""
    levels = image.astype(np.int16)
    return np.abs(np.diff(levels, axis=0, append=levels[-1:])) + np.abs(np.diff(levels, axis=1, append=levels[:, -1:]))


def _most_detailed(steps: np.ndarray, side: int) -> tuple[slice, slice]:
    """The square in which the median step is largest."""
    stride, thin = max(1, side // TRIED[0]), max(1, side // TRIED[1])
    squares = np.lib.stride_tricks.sliding_window_view(steps, (side, side))[::stride, ::stride, ::thin, ::thin]
    medians = np.median(squares, axis=(2, 3))
    row, column = np.unravel_index(int(np.argmax(medians)), medians.shape)
    top, left = int(row) * stride, int(column) * stride
    return slice(top, top + side), slice(left, left + side)


def _middle(part: slice, side: int, length: int) -> slice:
    """As many pixels as `side` around the middle of a part of an axis, moved where they would cross the border."""
    start = min(max((part.start + part.stop - side) // 2, 0), length - side)
    return slice(start, start + side)


def _overlap(one: slice, other: slice) -> bool:
    return max(one.start or 0, other.start) < min(one.stop, other.stop)

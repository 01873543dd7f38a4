"""Running a network on images that are larger than it can take at once: in overlapping tiles."""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor


def in_tiles(denoise: Callable[[Tensor], Tensor], images: Tensor, tile: int, overlap: int, multiple: int = 1) -> Tensor:
    """Denoise images in tiles of at most `tile` pixels a side; where two overlap, each gives the half nearer its centre.

    Args:
        denoise: from a tile (N, 1, H, W) to the same shape.
        images: (N, 1, H, W), with sides that are multiples of `multiple`.
        tile: largest side of a tile, pixels; at least `multiple`.
        overlap: pixels that neighbouring tiles share, less than `tile`.
        multiple: the sides of tiles are multiples of this.

    Returns:
        (N, 1, H, W).
    """
    size = tile // multiple * multiple
    rows, columns = (tile_places(side, size, overlap, multiple) for side in images.shape[2:])
    if len(rows) == len(columns) == 1:
        return denoise(images)
    denoised = torch.empty_like(images)
    for top, bottom, first_row, last_row in rows:
        for left, right, first_column, last_column in columns:
            found = denoise(images[:, :, top:bottom, left:right])
            kept = found[:, :, first_row - top : last_row - top, first_column - left : last_column - left]
            denoised[:, :, first_row:last_row, first_column:last_column] = kept
    return denoised


def tile_places(side: int, size: int, overlap: int, multiple: int = 1) -> list[tuple[int, int, int, int]]:
    """Where tiles lie along one side: begin and end of each, then begin and end of the part of it that is kept."""
    if side <= size:
        return [(0, side, 0, side)]
    step = max(size - overlap, multiple) // multiple * multiple
    begins = [*range(0, side - size, step), side - size]
    seams = [(left + size + right) // 2 for left, right in pairwise(begins)]
    kept = zip([0, *seams], [*seams, side], strict=True)
    return [(begin, begin + size, first, last) for begin, (first, last) in zip(begins, kept, strict=True)]

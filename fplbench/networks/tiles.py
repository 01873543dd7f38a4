"""Running a network on images that are larger than it can take at once: in overlapping tiles."""

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor

TILE = 512
"""Largest side that a denoiser gets in one piece, pixels."""
OVERLAP = 192
"""Pixels that neighbouring tiles share. What the U-Net sees beyond 96 changes a tile by less than a quarter of a grey level."""


class Place(NamedTuple):
    """Where a tile lies: its first row and column in the image, and the height and width of the image, pixels."""

    top: int
    left: int
    height: int
    width: int


def in_tiles(
    denoise: "Callable[[Tensor, Place | None], Tensor]", images: "Tensor", tile: int, overlap: int, multiple: int = 1
) -> "Tensor":
    """Denoise images in tiles of at most `tile` pixels a side; where two overlap, each gives the half nearer its centre.

    Args:
        denoise: from a tile (N, 1, H, W) and its place, None if it is the whole image, to the same shape.
        images: (N, 1, H, W), with sides that are multiples of `multiple`.
        tile: largest side of a tile, pixels; at least `multiple`.
        overlap: pixels that neighbouring tiles share, less than `tile`.
        multiple: the sides of tiles are multiples of this.

    Returns:
        (N, 1, H, W).
    """
    import torch

    size = tile // multiple * multiple
    rows, columns = (tile_places(side, size, overlap, multiple) for side in images.shape[2:])
    if len(rows) == len(columns) == 1:
        return denoise(images, None)
    denoised = torch.empty_like(images)
    for top, bottom, first_row, last_row in rows:
        for left, right, first_column, last_column in columns:
            found = denoise(images[:, :, top:bottom, left:right], Place(top, left, *images.shape[2:]))
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


def doubled(features: "Tensor", place: Place | None = None) -> "Tensor":
    """Double the height and width of features by linear interpolation, in which the corners keep their places.

    Where the corners keep their places, what lies between them moves with the size of the image: by up to half a pixel of
    the features. A tile is therefore interpolated at the places that its pixels have in the whole image.

    Args:
        features: (N, C, H, W).
        place: where the features lie in those of the whole image, in pixels of `features`; None if they are all of them.

    Returns:
        (N, C, 2 H, 2 W).
    """
    import torch

    if place is None:
        return torch.nn.functional.interpolate(features, scale_factor=2, mode="bilinear", align_corners=True)
    for axis, begin, whole in ((2, place.top, place.height), (3, place.left, place.width)):
        length = features.shape[axis]
        pixels = torch.arange(2 * begin, 2 * (begin + length), dtype=torch.float64, device=features.device)
        wanted = (pixels * (whole - 1) / (2 * whole - 1) - begin).clamp(0, length - 1)
        before = wanted.floor().long()
        share = (wanted - before).to(features.dtype).view(-1, *[1] * (3 - axis))
        after = (before + 1).clamp(max=length - 1)
        features = torch.lerp(features.index_select(axis, before), features.index_select(axis, after), share)
    return features

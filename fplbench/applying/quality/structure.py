"""Whether a change follows the structure of the image, and where it is largest."""

from typing import Any

import numpy as np

from fplbench.applying.quality.noise import flatness
from fplbench.datasets.reference_noise import NORMAL_MAD
from fplbench.reporting.explorer.pixels import png_uri

SMOOTHING = 1.0  # pixels; the edges of the denoised image, with little of the noise that is left
SAMPLE = 3  # every third row and column
DISPLACED = 4  # samples; far enough from an edge, but not from its surroundings
LEAST = 500  # places of a tissue
LARGE = 3  # standard deviations
STEEP, EVEN = 0.9, 0.5  # quantiles of the slope: edges are above the one, flat places below the other
CROP = 64  # side of a crop, pixels
BLOCK = 4  # side of the squares over which the change is averaged first, pixels
PART = 4  # side of the squares of such squares over which their absolute value is averaged then
LEVELS = 127  # of the change in a crop, in each direction


def edge_relation(change: np.ndarray, after: np.ndarray, tissues: list[np.ndarray]) -> dict[str, float] | None:
    """How closely the size of the change follows the edges of the denoised image, and how many large changes there are.

    Pure noise that does not depend on the image gives a correlation of 0 and a ratio of 1: noise and its gradient at the same
    place are uncorrelated, so noise that is left in the denoised image changes nothing. Noise differs between tissues and from
    the middle of the body to its skin. So values are standardised within each tissue, and the correlation with places 17 pixels
    away tells what such differences alone give. A thin vessel that was removed has no edge left, but is a large change.

    Args:
        change: float32 (H, W), denoised minus original.
        after: float32 (H, W), the denoised image.
        tissues: mask of each tissue, uint8 (H, W), where the model works in full.

    Returns:
        correlation: between the absolute change and the length of the gradient; displaced: the same with the gradient of
        places 17 pixels away; ratio: mean absolute change at the steepest tenth of the places over that at the flattest half;
        large: share of the places whose change is over 3 standard deviations of their tissue's, which are estimated by the
        median, 0.0027 for normal noise. None if there are fewer than 500 places or nothing was changed.
    """
    sizes = np.abs(change[::SAMPLE, ::SAMPLE])
    slopes = np.ascontiguousarray(flatness(after, SMOOTHING).slope[::SAMPLE, ::SAMPLE])
    scores, steepness = np.zeros_like(sizes), np.zeros_like(sizes)
    counted = np.zeros(sizes.shape, bool)
    steep, even, large = [], [], []
    for mask in tissues:
        places = mask[::SAMPLE, ::SAMPLE] != 0
        size, slope = sizes[places], slopes[places]
        if len(size) < LEAST or size.std() == 0 or slope.std() == 0:
            continue
        scores[places], steepness[places], counted[places] = _standard(size), _standard(slope), True
        low, high = np.quantile(slope, (EVEN, STEEP))
        large.append(size > LARGE / NORMAL_MAD * np.median(size))
        size /= size.mean()
        steep.append(size[slope >= high])
        even.append(size[slope <= low])
    if not steep or not (level := float(np.concatenate(even).mean())):
        return None
    return {
        "correlation": round(float((scores * steepness)[counted].mean()), 4),
        "displaced": round(_displaced(scores, steepness, counted), 4),
        "ratio": round(float(np.concatenate(steep).mean()) / level, 3),
        "large": round(float(np.concatenate(large).mean()), 5),
    }


def largest_change(
    before: np.ndarray, after: np.ndarray, change: np.ndarray, window: tuple[float, float]
) -> dict[str, Any] | None:
    """The part of a slice that changed most, as structure: the change is averaged over 4x4 pixels before its size is taken.

    Args:
        before, after: float32 (H, W).
        change: after minus before.
        window: values shown as black and white.

    Returns:
        score: mean over 16x16 pixels of the absolute change of their 4x4 squares; row and column of its middle; bound: the change
        that 127 levels stand for; image: a PNG of the crops before, after and of the change (128 is 0), side by side, as a data:
        URI; height, width: of one crop. None if nothing changed, or the slice is smaller than 16 pixels.
    """
    import cv2

    rows, columns = (side // BLOCK for side in change.shape)
    if min(rows, columns) < PART:
        return None
    coarse = np.abs(cv2.resize(change[: rows * BLOCK, : columns * BLOCK], (columns, rows), interpolation=cv2.INTER_AREA))
    scores = cv2.boxFilter(coarse, cv2.CV_32F, (PART, PART), anchor=(0, 0))[: rows - PART + 1, : columns - PART + 1]
    _, score, _, (column, row) = cv2.minMaxLoc(np.ascontiguousarray(scores))
    if score <= 0:
        return None
    middle = [BLOCK * (place + PART // 2) for place in (row, column)]
    part = tuple(_around(place, side) for place, side in zip(middle, change.shape, strict=True))
    low, high = window
    greys = [np.clip((image[part] - low) * (255 / (high - low)), 0, 255) for image in (before, after)]
    bound = max(float(np.abs(change[part]).max()), 1e-12)
    picture = np.hstack([*greys, 128 + change[part] * (LEVELS / bound)])
    height, width = greys[0].shape
    return {
        "score": float(f"{score:.4g}"), "row": middle[0], "column": middle[1], "bound": float(f"{bound:.6g}"),
        "height": height, "width": width, "image": png_uri(np.rint(picture).astype(np.uint8)),
    }  # fmt: skip


def _around(place: int, side: int) -> slice:
    start = min(max(place - CROP // 2, 0), max(side - CROP, 0))
    return slice(start, min(start + CROP, side))


def _standard(values: np.ndarray) -> np.ndarray:
    return (values - values.mean()) / values.std()


def _displaced(scores: np.ndarray, steepness: np.ndarray, counted: np.ndarray) -> float:
    """Mean correlation with the steepness of the four places at some distance along the diagonals."""
    total, count = 0.0, 0
    for mirrored in (False, True):  # along both diagonals, since many edges run along rows or columns
        size, slope, places = (array[::-1] if mirrored else array for array in (scores, steepness, counted))
        far, near = (slice(DISPLACED, None),) * 2, (slice(None, -DISPLACED),) * 2
        both = places[far] & places[near]
        total += float((size[far] * slope[near] + size[near] * slope[far])[both].sum())
        count += 2 * int(both.sum())
    return total / count if count else 0.0

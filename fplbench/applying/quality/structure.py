"""Whether a change follows the structure of the image."""

import math

import numpy as np

from fplbench.datasets.reference_noise import flatness

SMOOTHING = 1.0  # pixels; the edges of the denoised image, with little of the noise that is left
SAMPLE = 4  # every fourth row and column
DISPLACED = 3  # samples; far enough from an edge, but not from its surroundings
LEAST = 300  # places of a tissue
LARGE = 3  # standard deviations
NORMAL_MEAN = math.sqrt(math.pi / 2)  # standard deviation of a normal variable over the mean of its absolute value
AROUND = 11  # samples; side of the square around a place whose changes its own is compared with
CLIPPED = 5.0  # times the mean; of a larger change no more counts for its surroundings
FINEST = 0.01  # quantile of the changes
COARSE = 1.25  # steps; tissues whose mean change is smaller tell nothing
FLATTEST = 1.75  # steps; rounding makes the slopes of tissues whose mean slope (Sobel, 8 for 1 a pixel) is lower
TINY = 1e-6
STEEP, EVEN = 0.9, 0.5  # quantiles of the slope: edges are above the one, flat places below the other


def edge_relation(change: np.ndarray, after: np.ndarray, tissues: list[np.ndarray]) -> dict[str, float] | None:
    """How closely the size of the change follows the edges of the denoised image, and how many large changes there are.

    Noise and its gradient at the same place are uncorrelated, so noise that is left in the denoised image changes nothing. Noise
    differs between tissues and from the middle of the body to its skin. So values are standardised within each tissue, the
    correlation with places 17 pixels away tells what such differences alone give, and sizes are compared with those within 22
    pixels. A thin vessel that was removed has no edge left, but is a large change.

    Args:
        change: float32 (H, W), denoised minus original.
        after: float32 (H, W), the denoised image.
        tissues: mask of each tissue, uint8 (H, W), where the model works in full.

    Returns:
        correlation: between the absolute change and the length of the gradient, 0 for noise; displaced: the same with the
        gradient of places 17 pixels away; ratio: of the change at the steepest tenth of the places to that at the flattest
        half, 1 for noise; large: share of the places whose change exceeds 3 standard deviations of the change around them,
        0.0027 for normal noise. None if no tissue has 300 places and changes that are larger than their steps.
    """
    sizes = np.abs(change[::SAMPLE, ::SAMPLE])
    slopes = np.ascontiguousarray(flatness(after, SMOOTHING).slope[::SAMPLE, ::SAMPLE])
    masks = [mask[::SAMPLE, ::SAMPLE] != 0 for mask in tissues]
    step = _step(sizes, masks)
    masks = [places for places in masks if _tells(sizes[places], slopes[places], step)]
    if not masks:
        return None
    scores, steepness, counted = _by_tissue(sizes, masks), _by_tissue(slopes, masks), np.logical_or.reduce(masks)
    levels = _levels(sizes, masks)
    return {
        "correlation": round(float((scores * steepness)[counted].mean()), 4),
        "displaced": round(_displaced(scores, steepness, counted), 4),
        "ratio": round(_ratio(sizes / np.maximum(levels, TINY), slopes, masks), 3),
        "large": round(float((sizes - step / 2 > LARGE * NORMAL_MEAN * levels)[counted].mean()), 5),
    }


def _step(sizes: np.ndarray, masks: list[np.ndarray]) -> float:
    """The steps in which values change, as files store whole numbers and some methods see 8 bit; near 0 if there are none."""
    changed = sizes[np.logical_or.reduce(masks)] if masks else sizes[:0]
    changed = changed[changed > 0]
    return float(np.quantile(changed, FINEST)) if len(changed) else 0.0


def _tells(sizes: np.ndarray, slopes: np.ndarray, step: float) -> bool:
    """Whether a tissue has enough places, and sizes and slopes that are more than single steps."""
    enough = len(sizes) >= LEAST and sizes.std() > 0 and slopes.std() > 0
    return bool(enough and sizes.mean() >= COARSE * step and slopes.mean() >= FLATTEST * step)


def _by_tissue(values: np.ndarray, masks: list[np.ndarray]) -> np.ndarray:
    """Values less the mean of their tissue, over its standard deviation; 0 elsewhere."""
    found = np.zeros_like(values)
    for places in masks:
        own = values[places]
        found[places] = (own - own.mean()) / own.std()
    return found


def _levels(sizes: np.ndarray, masks: list[np.ndarray]) -> np.ndarray:
    """Mean size of the changes around each place, those of other tissues scaled to its own. Large ones count only in part."""
    import cv2

    means, counted = np.zeros_like(sizes), np.zeros_like(sizes)
    for places in masks:
        means[places], counted[places] = sizes[places].mean(), 1
    relative = np.minimum(sizes / np.maximum(means, TINY), CLIPPED) * counted
    total, places = (cv2.blur(values, (AROUND, AROUND), borderType=cv2.BORDER_CONSTANT) for values in (relative, counted))
    return total / np.maximum(places, TINY) * means


def _ratio(relative: np.ndarray, slopes: np.ndarray, masks: list[np.ndarray]) -> float:
    """Mean relative size at the steep places of all tissues over that at the even ones."""
    steep, even = [], []
    for places in masks:
        size, slope = relative[places], slopes[places]
        low, high = np.quantile(slope, (EVEN, STEEP))
        steep.append(size[slope >= high])
        even.append(size[slope <= low])
    return float(np.concatenate(steep).mean() / max(np.concatenate(even).mean(), TINY))


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

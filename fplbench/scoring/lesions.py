"""Scores of lesions: does what a reader outlined, or what was inserted, keep its grey levels and its contrast?"""

import math
from dataclasses import dataclass

import numpy as np

from fplbench.errors import InputError
from fplbench.lesions.shapes import dilated, surround
from fplbench.scoring.metrics import decibels

LESION_METRICS = ("rmse", "psnr", "ssim", "contrast_recovery", "recovery_error", "cnr", "bias")
CONTRAST_METRICS = ("contrast_recovery", "recovery_error", "cnr")
"""Those that need a contrast; not a number where the clean image shows too little of it."""
FEWEST_PIXELS = 4
"""Smaller lesions are not scored: their means are those of a pixel or two."""
LEAST_CONTRAST = 2.0
"""Smallest contrast of the clean image that is scored, in standard deviations of the ring."""
ROUNDING = 1 / math.sqrt(12)
"""Standard deviation of rounding to whole grey levels: a ring of 8-bit values cannot show a smaller one."""


@dataclass(frozen=True, slots=True)
class _Region:
    """What the scores of a lesion need of the clean image.

    Attributes:
        inside: flat indices of the pixels of the lesion.
        around: the same of the lesion and its surroundings.
        ring: the same of the surroundings, without other lesions.
        mean: mean of the clean image inside, in grey levels.
        contrast: this mean less that of the ring; NaN if it is not scored.
    """

    inside: np.ndarray
    around: np.ndarray
    ring: np.ndarray
    mean: float
    contrast: float


class LesionRegions:
    """The lesions of one image with their surroundings, made once and scored for every method.

    The surroundings are the pixels up to `surround(size)` from the lesion, measured between pixel centres.
    """

    def __init__(self, clean: np.ndarray, lesions: np.ndarray) -> None:
        """Find the lesions.

        Args:
            clean: uint8 (H, W).
            lesions: uint8 (H, W), 0 outside, else the lesion's number in the image.

        Raises:
            InputError: the two differ in shape.
        """
        if clean.ndim != 2 or clean.shape != lesions.shape:
            raise InputError(f"The clean image has shape {clean.shape}, but its lesions have shape {lesions.shape}.")
        self._clean = np.asarray(clean, order="C")
        self._regions = _find(self._clean, np.asarray(lesions, order="C"))

    def __len__(self) -> int:
        return len(self._regions)

    def score(self, denoised: np.ndarray, ssim_map: np.ndarray, scale: float = 1.0) -> dict[int, dict[str, float]]:
        """Score the lesions in a denoised image.

        Args:
            denoised: uint8 (H, W).
            ssim_map: float (H, W), the structural similarity of each pixel.
            scale: what a grey level stands for: (high - low) / 255 of the window in HU, or 1 for grey levels.

        Returns:
            For the number of each lesion: rmse and bias (the mean inside less that of the clean image), in the unit of
            `scale`; psnr in dB and ssim, over the lesion and its surroundings; contrast_recovery, the contrast of the
            denoised over that of the clean image; recovery_error, |1 - contrast_recovery|; cnr, the contrast over the
            standard deviation of the ring, which counts as at least that of rounding; it is positive where the lesion is
            brighter or darker than the ring as it is in the clean image. A contrast is the mean inside less
            the mean of the ring, the surroundings without other lesions. A lesion of fewer than FEWEST_PIXELS pixels scores
            NaN throughout. CONTRAST_METRICS are NaN where the clean contrast is zero or below LEAST_CONTRAST standard
            deviations of the clean ring, or where no ring is left.

        Raises:
            InputError: the images differ in shape.
        """
        for what, image in (("denoised image", denoised), ("map of the SSIM", ssim_map)):
            if image.shape != self._clean.shape:
                raise InputError(f"The clean image has shape {self._clean.shape}, but the {what} has shape {image.shape}.")
        images = self._clean.ravel(), np.asarray(denoised).ravel(), np.asarray(ssim_map).ravel()
        return {number: _score(region, *images, scale) for number, region in self._regions.items()}


def _find(clean: np.ndarray, lesions: np.ndarray) -> dict[int, _Region | None]:
    """Each lesion of an image by its number; None for those that are too small to be scored."""
    regions: dict[int, _Region | None] = {}
    if not lesions.any():
        return regions
    from scipy.ndimage import find_objects

    radius = surround(max(lesions.shape))
    for number, box in enumerate(find_objects(lesions), start=1):
        if box is None:
            continue
        crop = tuple(slice(max(0, side.start - radius), side.stop + radius) for side in box)
        numbers = lesions[crop]
        inside = numbers == number
        around = dilated(inside, radius)
        origin = crop[0].start * lesions.shape[1] + crop[1].start
        places = [_flat(mask, origin, lesions.shape[1]) for mask in (inside, around, around & (numbers == 0))]
        regions[number] = _measured(clean.ravel(), *places) if len(places[0]) >= FEWEST_PIXELS else None
    return regions


def _flat(mask: np.ndarray, origin: int, width: int) -> np.ndarray:
    """Indices of a mask's pixels in the flattened image, where the mask starts at index `origin`."""
    rows, columns = np.nonzero(mask)
    return origin + rows * width + columns


def _measured(clean: np.ndarray, inside: np.ndarray, around: np.ndarray, ring: np.ndarray) -> _Region:
    mean = float(clean[inside].mean())
    contrast = math.nan
    if len(ring):
        contrast = mean - float(clean[ring].mean())
        if contrast == 0 or abs(contrast) < LEAST_CONTRAST * float(clean[ring].std()):
            contrast = math.nan
    return _Region(inside, around, ring, mean, contrast)


def _score(
    region: _Region | None, clean: np.ndarray, denoised: np.ndarray, ssim_map: np.ndarray, scale: float
) -> dict[str, float]:
    scores = dict.fromkeys(LESION_METRICS, math.nan)
    if region is None:
        return scores
    inside = denoised[region.inside]
    mean = float(inside.mean())
    scores["rmse"] = scale * math.sqrt(_squared_error(clean[region.inside], inside))
    scores["bias"] = scale * (mean - region.mean)
    scores["psnr"] = decibels(_squared_error(clean[region.around], denoised[region.around]))
    scores["ssim"] = float(ssim_map[region.around].mean())
    if not math.isnan(region.contrast):
        ring = denoised[region.ring]
        contrast = mean - float(ring.mean())
        recovery = contrast / region.contrast
        scores |= {
            "contrast_recovery": recovery,
            "recovery_error": abs(1 - recovery),
            "cnr": math.copysign(1, region.contrast) * contrast / max(float(ring.std()), ROUNDING),
        }
    return scores


def _squared_error(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.square(one.astype(np.int32) - other).mean())

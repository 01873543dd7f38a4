"""Scores inside the body only: most of a CT image is air, which every method restores well."""

import math

import numpy as np

from fplbench.lesions.regions import TISSUE, largest_filled
from fplbench.scoring.metrics import decibels
from fplbench.scoring.pair import PEAK, Pair, Reference, inner
from fplbench.scoring.registry import metric


@metric("body_psnr", label="Body PSNR", unit="dB", digits=2, direction="higher")
def body_psnr(pair: Pair) -> float:
    """PSNR of the pixels inside the body."""
    mask = pair.reference.once(body_of)
    return decibels(pair.squared_error[mask].mean()) if mask.any() else math.nan


@metric("body_ssim", label="Body SSIM", digits=2, direction="higher")
def body_ssim(pair: Pair) -> float:
    """Mean of the SSIM map inside the body."""
    mask = inner(pair.reference.once(body_of))
    return float(inner(pair.ssim_map)[mask].mean()) if mask.any() else math.nan


def body_of(reference: Reference) -> np.ndarray:
    """The body in a clean image, bool (H, W); see `body_mask`."""
    return body_mask(reference.clean, reference.window)


def body_mask(clean: np.ndarray, window: tuple[float, float] | None = None) -> np.ndarray:
    """The body in a clean image: the largest connected part above a threshold, with its holes filled, the lungs among them.

    In CT the threshold is -500 HU, half way between air and water, or the lower end of the window if that is higher: then
    everything that is not black is above it. Elsewhere it is the lower one of two by Otsu's method (1979): a radiograph shows
    air, lungs and tissue, and a single threshold would leave the lungs outside, because they are darker than the skin on
    either side of them.

    Args:
        clean: uint8 (H, W).
        window: HU of grey level 0 and of 255, for CT.

    Returns:
        bool (H, W), all False if no pixel is above the threshold.
    """
    threshold = _otsu(clean) if window is None else _level(*window)
    return largest_filled(clean > threshold)


def _level(low: float, high: float) -> float:
    """Grey level of TISSUE in a window in HU, at least 0."""
    return max(0.0, PEAK * (TISSUE - low) / (high - low))


def _otsu(clean: np.ndarray) -> float:
    """The lower threshold between three classes of grey levels, or that between two where there are no more values."""
    from skimage.filters import threshold_multiotsu

    classes = min(3, len(np.unique(clean)))
    return float(threshold_multiotsu(clean, classes)[0]) if classes > 1 else math.inf

"""From the values of a scan to the grey levels of a denoiser, and back."""

from collections.abc import Callable

import numpy as np

EDGE = 0.05  # share of the window at each of its ends over which the change fades out


def denoise_plane(
    values: np.ndarray,
    valid: np.ndarray | None,
    window: tuple[float, float],
    denoise: Callable[[np.ndarray], np.ndarray],
    eight_bit: bool,
) -> np.ndarray:
    """Denoise a slice within a window, in the unit of the scan.

    The denoiser sees x = clip((v - low) / (high - low), 0, 1) and returns y. What it changes is added to the original:
    v + w (high - low) (y - x), where `edge_weight` gives w. Values outside the window, padding and NaN stay as they are.

    Args:
        values: float32 (H, W), in the unit of the scan.
        valid: bool (H, W), False where the slice has padding; None where it has none.
        window: lowest and highest value that the denoiser sees, the grey levels 0 and 1.
        denoise: from grey levels, float32 (H, W) in [0, 1], to denoised ones.
        eight_bit: whether the denoiser rounds what it gets to 8 bit. The change is then that from the rounded image, so that
            rounding changes nothing.

    Returns:
        float32 (H, W). Where y equals x the value is the same to the last bit.
    """
    low, high = window
    grey = to_grey(values, window)
    denoised = denoise(grey)
    if eight_bit:
        grey = to_eight_bit(grey) / np.float32(255)
    change = edge_weight(grey, denoised) * np.float32(high - low) * (denoised - grey)
    if valid is not None:
        change[~valid] = 0
    return (values + change).astype(np.float32)


def to_grey(values: np.ndarray, window: tuple[float, float]) -> np.ndarray:
    """The grey levels of a slice: float32 (H, W), 0 at the lower end of the window and below, 1 at the upper and above.

    NaN counts as the lower end.
    """
    low, high = window
    grey = (np.nan_to_num(values, nan=low, posinf=high, neginf=low).astype(np.float64) - low) / (high - low)
    return np.clip(grey, 0, 1).astype(np.float32)


def to_eight_bit(grey: np.ndarray) -> np.ndarray:
    """Grey levels in [0, 1], rounded to uint8."""
    return np.rint(grey * np.float32(255)).astype(np.uint8)


def edge_weight(grey: np.ndarray, denoised: np.ndarray) -> np.ndarray:
    """How much of a change is applied to each value: 1 within the window, 0 outside.

    Over the outermost 5 % of the window at each end, inside it, the weight falls by a smoothstep, 3 t^2 - 2 t^3, so that no edge
    appears where values cross the end of the window. It is taken at the value or at its mirror image about the denoised value,
    whichever is nearer to an end: were it taken at the value alone, noise near an end would be removed on one side and kept on
    the other, which would shift the mean by up to 0.4 standard deviations. A value and its mirror image, equally likely with
    symmetric noise, now change by the same amount in opposite directions.

    Args:
        grey: what the denoiser got, float32 (H, W) in [0, 1]; 0 or 1 outside the window.
        denoised: what it returned, float32 (H, W) in [0, 1].

    Returns:
        float32 (H, W).
    """
    depth = np.minimum(denoised, 1 - denoised) - np.abs(denoised - grey)
    inside = np.clip(depth / np.float32(EDGE), 0, 1)
    return inside * inside * (3 - 2 * inside)

"""Scores of single images."""

import math
from collections.abc import Callable

import numpy as np

from fplbench.errors import InputError
from fplbench.stacks import check_images

PEAK = 255
SSIM_WINDOW = 7
METRICS = ("psnr", "psnr_uint8", "ssim")


def psnr(clean: np.ndarray, denoised: np.ndarray) -> float | np.ndarray:
    """Peak signal-to-noise ratio, 10 log10(255^2 / mean squared error).

    Equal to skimage.metrics.peak_signal_noise_ratio with data_range=255. That module is not used because it takes a second
    to import.

    Args:
        clean: uint8 (H, W), or (N, H, W).
        denoised: the same shape.

    Returns:
        A float in dB for one image, float64 (N,) for a stack. Equal images score infinity.

    Raises:
        InputError: the arrays are not uint8 images, or differ in shape.

    Examples:
        Convert floating point images in [0, 1] to 8 bit first:

            psnr(clean, (255 * denoised).round().astype(numpy.uint8))
    """
    return _each(clean, denoised, lambda one, other: _decibels(np.square(one.astype(np.int32) - other).mean()))


def psnr_uint8(clean: np.ndarray, denoised: np.ndarray) -> float | np.ndarray:
    """PSNR of 8-bit images that are subtracted and squared in 8-bit arithmetic, where both operations wrap around.

    The "mean squared error" is then mean((clean - denoised)^2 mod 256). This does not measure quality: an error of 16 grey
    levels counts as none, and unrelated images score about 27.9 dB. The published tables show every sign of it, so this
    score exists only to be compared with them.

    Args:
        clean: uint8 (H, W), or (N, H, W).
        denoised: the same shape.

    Returns:
        A float in dB for one image, float64 (N,) for a stack. Infinity where every squared difference wraps to 0.

    Raises:
        InputError: the arrays are not uint8 images, or differ in shape.
    """
    return _each(clean, denoised, lambda one, other: _decibels(np.square(one - other).mean()))


def ssim(clean: np.ndarray, denoised: np.ndarray) -> float | np.ndarray:
    """Structural similarity (Wang et al. 2004), computed by scikit-image with a uniform 7x7 window and data range 255.

    Args:
        clean: uint8 (H, W), or (N, H, W), sides of at least 7 pixels.
        denoised: the same shape.

    Returns:
        Between -1 and 1: a float for one image, float64 (N,) for a stack.

    Raises:
        InputError: the arrays are not uint8 images, differ in shape, or are smaller than the window.
    """
    from skimage.metrics import structural_similarity

    size = np.shape(clean)[-2:]
    if min(size, default=0) < SSIM_WINDOW:
        raise InputError(f"SSIM compares windows of {SSIM_WINDOW}x{SSIM_WINDOW} pixels; the images have shape {size}.")
    return _each(
        clean,
        denoised,
        lambda one, other: float(structural_similarity(one, other, win_size=SSIM_WINDOW, data_range=PEAK)),
    )


def _decibels(mean_squared_error: float) -> float:
    return 10 * math.log10(PEAK**2 / mean_squared_error) if mean_squared_error else math.inf


def _each(clean: np.ndarray, denoised: np.ndarray, metric: Callable[[np.ndarray, np.ndarray], float]) -> float | np.ndarray:
    """Apply a metric of two images to one pair, or to each pair of two stacks."""
    clean, denoised = np.asarray(clean), np.asarray(denoised)
    if clean.shape != denoised.shape:
        raise InputError(f"The clean images have shape {clean.shape}, but the denoised ones have shape {denoised.shape}.")
    single = clean.ndim == 2
    if single:
        clean, denoised = clean[None], denoised[None]
    _check(clean, "The clean array")
    _check(denoised, "The denoised array")
    values = np.array([metric(one, other) for one, other in zip(clean, denoised, strict=True)])
    return float(values[0]) if single else values


def _check(images: np.ndarray, what: str) -> None:
    if np.issubdtype(images.dtype, np.floating):
        raise InputError(
            f"{what} holds {images.dtype} values, but scores need 8-bit images; convert images in [0, 1] with "
            "(255 * images).round().astype(numpy.uint8)."
        )
    check_images(images, what)


def feature_error(maps: np.ndarray, clean_maps: np.ndarray) -> np.ndarray:
    """Relative squared error of feature maps, ||F_denoised - F_clean||^2 / ||F_clean||^2.

    Args:
        maps: feature maps of denoised images, (..., H, W).
        clean_maps: feature maps of the clean images, of the same shape.

    Returns:
        float64 (...), 0 for equal maps. The denominator has a floor of 1e-12, which matters only where a clean map is zero
        everywhere.
    """
    clean_maps = clean_maps.astype(np.float64)
    energy = np.square(clean_maps).sum(axis=(-2, -1))
    return np.square(maps - clean_maps).sum(axis=(-2, -1)) / np.maximum(energy, 1e-12)

"""The metrics that every image is scored by, and the error of feature maps."""

import math

import numpy as np

from fplbench.errors import InputError
from fplbench.scoring.pair import PEAK, SSIM_WINDOW, Pair, Reference, inner
from fplbench.scoring.registry import ALWAYS, MetricFunction, metric
from fplbench.stacks import check_images

METRICS = ALWAYS


@metric("psnr", label="PSNR", unit="dB", digits=2, direction="higher")
def pair_psnr(pair: Pair) -> float:
    """Peak signal-to-noise ratio; see `psnr`."""
    return decibels(pair.squared_error.mean())


@metric("psnr_uint8", label="Wrapped PSNR", unit="dB", digits=2, direction="higher")
def pair_psnr_uint8(pair: Pair) -> float:
    """PSNR in 8-bit arithmetic, which wraps around; see `psnr_uint8`."""
    return decibels(pair.squared_error.astype(np.uint8).mean())


@metric("ssim", label="SSIM", digits=2, direction="higher")
def pair_ssim(pair: Pair) -> float:
    """Structural similarity; see `ssim`."""
    return float(inner(pair.ssim_map).mean())


def decibels(mean_squared_error: float) -> float:
    """10 log10(255^2 / mean squared error), infinite for no error."""
    return 10 * math.log10(PEAK**2 / mean_squared_error) if mean_squared_error else math.inf


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
    return _each(clean, denoised, pair_psnr)


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
    return _each(clean, denoised, pair_psnr_uint8)


def ssim(clean: np.ndarray, denoised: np.ndarray) -> float | np.ndarray:
    """Structural similarity (Wang et al. 2004) with a uniform 7x7 window and data range 255.

    Equal to skimage.metrics.structural_similarity with win_size=7 and data_range=255, within rounding.

    Args:
        clean: uint8 (H, W), or (N, H, W), sides of at least 7 pixels.
        denoised: the same shape.

    Returns:
        Between -1 and 1: a float for one image, float64 (N,) for a stack.

    Raises:
        InputError: the arrays are not uint8 images, differ in shape, or are smaller than the window.
    """
    check_size(np.shape(clean)[-2:])
    return _each(clean, denoised, pair_ssim)


def check_size(size: tuple[int, ...]) -> None:
    """Raise InputError if images of this size are smaller than the window of the SSIM."""
    if min(size, default=0) < SSIM_WINDOW:
        raise InputError(f"SSIM compares windows of {SSIM_WINDOW}x{SSIM_WINDOW} pixels; the images have shape {size}.")


def _each(clean: np.ndarray, denoised: np.ndarray, function: MetricFunction) -> float | np.ndarray:
    """Apply a metric to one pair of images, or to each pair of two stacks."""
    clean, denoised = np.asarray(clean), np.asarray(denoised)
    if clean.shape != denoised.shape:
        raise InputError(f"The clean images have shape {clean.shape}, but the denoised ones have shape {denoised.shape}.")
    single = clean.ndim == 2
    if single:
        clean, denoised = clean[None], denoised[None]
    _check(clean, "The clean array")
    _check(denoised, "The denoised array")
    values = np.array([function(Pair(Reference(one), other)) for one, other in zip(clean, denoised, strict=True)])
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

"""A clean and a denoised image, with what several metrics need of them computed once."""

from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

Result = TypeVar("Result")

PEAK = 255
SSIM_WINDOW = 7
_C1, _C2 = (0.01 * PEAK) ** 2, (0.03 * PEAK) ** 2


class Reference:
    """A clean image, which all methods are compared with.

    Attributes:
        clean: uint8 (H, W).
        window: HU of grey level 0 and of 255, for CT; None for other images.
    """

    def __init__(self, clean: np.ndarray, window: tuple[float, float] | None = None) -> None:
        self.clean = clean
        self.window = window
        self._results: dict[Callable[..., Any], Any] = {}

    def once(self, function: Callable[["Reference"], Result]) -> Result:
        """What a function of the clean image returns; it runs at the first call only, so it must be the same object."""
        if function not in self._results:
            self._results[function] = function(self)
        return self._results[function]

    @cached_property
    def halved(self) -> np.ndarray:
        """The clean image at half the size; see `halve`."""
        return halve(self.clean)

    @cached_property
    def moments(self) -> tuple[np.ndarray, np.ndarray]:
        """Local mean and variance of the clean image, float64 (H, W), for the SSIM."""
        return _moments(self.clean)


class Pair:
    """A denoised image beside the clean one.

    Attributes:
        reference: the clean image.
        denoised: uint8 (H, W), the same shape.
    """

    def __init__(self, reference: Reference, denoised: np.ndarray) -> None:
        self.reference = reference
        self.denoised = denoised

    @property
    def clean(self) -> np.ndarray:
        """The clean image, uint8 (H, W)."""
        return self.reference.clean

    @cached_property
    def error(self) -> np.ndarray:
        """The denoised image less the clean one, int16 (H, W)."""
        return self.denoised.astype(np.int16) - self.clean

    @cached_property
    def squared_error(self) -> np.ndarray:
        """The squared error of each pixel, int32 (H, W)."""
        return np.square(self.error, dtype=np.int32)

    @cached_property
    def halved(self) -> np.ndarray:
        """The denoised image at half the size; see `halve`."""
        return halve(self.denoised)

    @cached_property
    def ssim_map(self) -> np.ndarray:
        """Structural similarity around each pixel (Wang et al. 2004), float64 (H, W), in a uniform 7x7 window.

        Equal to the map of skimage.metrics.structural_similarity with win_size=7 and data_range=255, within rounding. The sums
        over windows are exact here, and those of the clean image are shared by all methods, which takes a fifth of the time.
        """
        (x, xx), (y, yy) = self.reference.moments, _moments(self.denoised)
        xy = _window_sum(np.multiply(self.clean, self.denoised, dtype=np.float64)) / SSIM_WINDOW**2 - x * y
        luminance = (2 * x * y + _C1) / (x * x + y * y + _C1)
        return luminance * (2 * _unbiased(xy) + _C2) / (xx + yy + _C2)


def inner(values: np.ndarray) -> np.ndarray:
    """What is left of a map (H, W) without the border where the window of the SSIM leaves the image."""
    border = SSIM_WINDOW // 2
    return values[border:-border, border:-border]


def halve(image: np.ndarray) -> np.ndarray:
    """Means of the blocks of 2x2 pixels, the first step of HaarPSI and GMSD. Odd sides are extended by zeros.

    Args:
        image: uint8 (H, W).

    Returns:
        float32 (ceil(H / 2), ceil(W / 2)), exact.
    """
    height, width = image.shape
    if height % 2 or width % 2:
        image = np.pad(image, ((0, height % 2), (0, width % 2)))
    rows = np.add(image[::2], image[1::2], dtype=np.uint16)
    return np.add(rows[:, ::2], rows[:, 1::2]).astype(np.float32) / 4


def _moments(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and unbiased variance in the window around each pixel."""
    values = image.astype(np.float64)
    mean = _window_sum(values) / SSIM_WINDOW**2
    return mean, _unbiased(_window_sum(values * values) / SSIM_WINDOW**2 - mean * mean)


def _unbiased(covariance: np.ndarray) -> np.ndarray:
    return covariance * (SSIM_WINDOW**2 / (SSIM_WINDOW**2 - 1))


def _window_sum(values: np.ndarray) -> np.ndarray:
    """Sum over the window around each pixel, beyond the border by reflection; exact for integers."""
    import cv2

    size = (SSIM_WINDOW, SSIM_WINDOW)
    return cv2.boxFilter(values, cv2.CV_64F, size, normalize=False, borderType=cv2.BORDER_REFLECT)

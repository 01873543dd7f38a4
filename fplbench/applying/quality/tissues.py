"""Tissues, by the values of a smoothed image."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

SOFT_TISSUE = "soft_tissue"
SOFT_WINDOW = (-160.0, 240.0)  # HU; values shown as black and white, so that soft tissue is seen


@dataclass(frozen=True)
class Tissue:
    """A range of values.

    Attributes:
        name: key in the statistics.
        label: name for people.
        low, high: lowest and highest value; infinite where there is no limit.
    """

    name: str
    label: str
    low: float
    high: float


CT = (
    Tissue("air", "Air", -1200, -900),  # lower values are padding, whatever the file says
    Tissue("lung", "Lung", -900, -500),
    Tissue("fat", "Fat", -150, -30),
    # From -20 HU, so that the water of a phantom is not cut in half by the limit.
    Tissue(SOFT_TISSUE, "Soft tissue and water", -20, 100),
    Tissue("bone", "Bone", 200, np.inf),
)
THIRDS = (("low", "Lowest third"), ("middle", "Middle third"), ("high", "Highest third"))


def tissues_of(window: tuple[float, float], hounsfield: bool) -> tuple[Tissue, ...]:
    """The tissues of a scan: ranges of HU, or else the thirds of the window, whose values mean nothing by themselves."""
    if hounsfield:
        return CT
    limits = np.linspace(*window, len(THIRDS) + 1)
    return tuple(Tissue(*names, *limits[place : place + 2].tolist()) for place, names in enumerate(THIRDS))


def soft_window(window: tuple[float, float]) -> tuple[float, float] | None:
    """The part of the window, HU, in which soft tissue is seen; None if there is none."""
    low, high = max(window[0], SOFT_WINDOW[0]), min(window[1], SOFT_WINDOW[1])
    return (low, high) if low < high else None


def soft_squares(smooth: np.ndarray, side: int) -> np.ndarray:
    """Which squares of a CT slice have soft tissue in their middle.

    Args:
        smooth: float32 (H, W), the smoothed slice, HU.
        side: of a square, pixels.

    Returns:
        uint8 (H // side, W // side), 1 or 0.
    """
    (soft,) = (tissue for tissue in CT if tissue.name == SOFT_TISSUE)
    rows, columns = (length // side for length in smooth.shape)
    middles = smooth[side // 2 :: side, side // 2 :: side][:rows, :columns]
    return ((middles >= soft.low) & (middles <= soft.high)).astype(np.uint8)


def masks(smooth: np.ndarray, usable: np.ndarray, tissues: tuple[Tissue, ...]) -> Iterator[tuple[Tissue, np.ndarray]]:
    """Where each tissue is.

    Args:
        smooth: float32 (H, W), the smoothed image.
        usable: uint8 (H, W), 0 where a pixel does not count.
        tissues: the tissues.

    Yields:
        The tissue and a mask, uint8 (H, W), 0 or 255.
    """
    import cv2

    for tissue in tissues:
        yield tissue, cv2.bitwise_and(cv2.inRange(smooth, tissue.low, tissue.high), usable)

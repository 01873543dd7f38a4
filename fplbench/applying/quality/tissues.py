"""Tissues, by the values of a smoothed image."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

SOFT_TISSUE = "soft_tissue"


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

"""Conversion of the stored values of images that have no HU, such as MR, to the units that the file rescales to."""

from typing import TYPE_CHECKING

import numpy as np

from fplbench.datasets.formats.dicom import stored_range
from fplbench.datasets.formats.fields import finite
from fplbench.datasets.formats.hounsfield import is_padding, padding_range
from fplbench.datasets.registry import Unreadable

if TYPE_CHECKING:
    from pydicom import Dataset as DicomDataset


def to_rescaled(dataset: "DicomDataset", stored: np.ndarray) -> tuple[np.ndarray, tuple[float, float], bool]:
    """Rescale stored values, bright where the tissue is: MONOCHROME1 is inverted within the range of its bits first.

    Padding gets the lowest value of the other pixels, for the padding of a scan not to widen its window.

    Args:
        dataset: the header. A missing or empty slope is 1, such an intercept 0.
        stored: (H, W), integers.

    Returns:
        The values, float32 (H, W); the values that the lowest and the highest stored number stand for; whether the image was
        inverted.

    Raises:
        Unreadable: the slope or intercept is not a number, the slope is zero, or the number of bits is impossible.
    """
    try:
        slope, intercept = (
            default if dataset.get(name) in (None, "") else finite(dataset.get(name))
            for name, default in (("RescaleSlope", 1.0), ("RescaleIntercept", 0.0))
        )
    except (TypeError, ValueError):
        raise Unreadable("its rescale slope or intercept is not a number") from None
    if slope == 0:
        raise Unreadable("its rescale slope is zero")
    low, high = stored_range(dataset)
    values = stored.astype(np.float32)
    inverted = dataset.get("PhotometricInterpretation") == "MONOCHROME1"
    if inverted:
        np.subtract(low + high, values, out=values)
    values *= np.float32(slope)
    values += np.float32(intercept)
    padding = padding_range(dataset)
    if padding is not None:
        outside = is_padding(stored, padding)
        if outside.any() and not outside.all():
            values[outside] = values[~outside].min()
    ends = sorted((low * slope + intercept, high * slope + intercept))
    return values, (ends[0], ends[1]), inverted

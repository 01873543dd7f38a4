"""From the stored values of a CT slice to Hounsfield units."""

from typing import TYPE_CHECKING

import numpy as np

from fplbench.datasets.fields import finite
from fplbench.datasets.registry import Unreadable

if TYPE_CHECKING:
    from pydicom import Dataset as DicomDataset

AIR = -1024.0  # HU; whatever lies below is outside the field of view
TISSUE = (-950.0, 3071.0)  # HU; a padding value in this range cannot be told from tissue
HIGHEST = 30710.0  # HU; the end of the extended CT scale


def to_hounsfield(dataset: "DicomDataset", stored: np.ndarray) -> np.ndarray:
    """Rescale stored values to HU, with AIR for the padding value and for whatever lies below AIR.

    Pixels at the padding value become AIR unless the value maps into the range of tissue: some headers name a padding
    value that the pixels use for water. It may be stored as unsigned where the pixels are signed (63536 for -2000).
    Where the pixels are unsigned, a value beyond the CT scale is a negative number that lost its sign.

    Args:
        dataset: the header.
        stored: (H, W), integers.

    Returns:
        float32 (H, W), HU.

    Raises:
        Unreadable: slope or intercept is missing, no number, or a slope of zero.
    """
    try:
        slope, intercept = finite(dataset.get("RescaleSlope")), finite(dataset.get("RescaleIntercept"))
    except (TypeError, ValueError):
        raise Unreadable("its rescale slope or intercept is missing or no number") from None
    if slope == 0:
        raise Unreadable("its rescale slope is zero")
    values = stored.astype(np.float32)  # the one copy; the rest is done in place, as images can be large
    values *= np.float32(slope)
    values += np.float32(intercept)
    if stored.dtype.kind == "u":
        values[values > HIGHEST] -= np.float32(slope * 2.0 ** (8 * stored.itemsize))
    padding = padding_value(dataset)
    if padding is not None and not TISSUE[0] <= padding * slope + intercept <= TISSUE[1]:
        values[stored == padding] = AIR
    return np.maximum(values, np.float32(AIR), out=values)


def padding_value(dataset: "DicomDataset") -> int | None:
    """Stored value of the pixels outside the field of view, in the signedness of the pixels, or None."""
    value = dataset.get("PixelPaddingValue")
    if value is None:
        return None
    if isinstance(value, bytes):
        value = int.from_bytes(value[:2], "little")
    bits = int(dataset.BitsAllocated)
    value = int(value) % 2**bits
    return value - 2**bits if dataset.get("PixelRepresentation") == 1 and value >= 2 ** (bits - 1) else value

"""Conversion of the stored values of a CT slice to Hounsfield units (HU)."""

from typing import TYPE_CHECKING, Any

import numpy as np

from fplbench.datasets.formats.fields import finite
from fplbench.datasets.registry import Unreadable

if TYPE_CHECKING:
    from pydicom import Dataset as DicomDataset

AIR = -1024.0  # HU; lower values lie outside the field of view
TISSUE = (-950.0, 3071.0)  # HU; a padding value in this range cannot be distinguished from tissue
HIGHEST = 30710.0  # HU; the end of the extended CT scale
TYPES = ("", "HU", "HU_MOD", "US")  # RescaleType of values in HU; US: unspecified. Others, such as Z_EFF, are of several energies


def is_hounsfield(rescale_type: Any) -> bool:
    """Whether the values of a CT are in HU, by its RescaleType; None or empty if it has none."""
    return str(rescale_type or "").strip().upper() in TYPES


def to_hounsfield(dataset: "DicomDataset", stored: np.ndarray) -> np.ndarray:
    """Rescale stored values to HU. Padding and everything below AIR become AIR.

    A padding value that maps into the range of tissue is ignored, since some headers name a padding value that the pixels
    use for water. The header may store it as unsigned although the pixels are signed (63536 for -2000). Where the pixels
    are unsigned, a value beyond the CT scale is a negative number that was stored without its sign.

    Args:
        dataset: the header.
        stored: (H, W), integers.

    Returns:
        float32 (H, W), HU.

    Raises:
        Unreadable: the slope or intercept is missing or not a number, or the slope is zero.
    """
    try:
        slope, intercept = finite(dataset.get("RescaleSlope")), finite(dataset.get("RescaleIntercept"))
    except (TypeError, ValueError):
        raise Unreadable("its rescale slope or intercept is missing or not a number") from None
    if slope == 0:
        raise Unreadable("its rescale slope is zero")
    values = stored.astype(np.float32)  # the only copy; the rest works in place, as images can be large
    values *= np.float32(slope)
    values += np.float32(intercept)
    if stored.dtype.kind == "u":
        values[values > HIGHEST] -= np.float32(slope * 2.0 ** (8 * stored.itemsize))
    padding = padding_range(dataset)
    if padding is not None:
        ends = sorted(end * slope + intercept for end in padding)
        if ends[1] < TISSUE[0] or ends[0] > TISSUE[1]:
            values[is_padding(stored, padding)] = AIR
    return np.maximum(values, np.float32(AIR), out=values)


def padding_range(dataset: "DicomDataset") -> tuple[int, int] | None:
    """Lowest and highest stored value of pixels outside the field of view, with the sign of the pixels; None if not given."""
    ends = [_with_sign(dataset, dataset.get(name)) for name in ("PixelPaddingValue", "PixelPaddingRangeLimit")]
    if ends[0] is None:
        return None
    last = ends[0] if ends[1] is None else ends[1]
    return min(ends[0], last), max(ends[0], last)


def is_padding(stored: np.ndarray, padding: tuple[int, int]) -> np.ndarray:
    """Which of the stored values are padding, bool (H, W)."""
    return (stored >= padding[0]) & (stored <= padding[1])


def _with_sign(dataset: "DicomDataset", value: Any) -> int | None:
    """A stored value of the header with the sign convention of the pixels."""
    if value is None:
        return None
    if isinstance(value, bytes):
        value = int.from_bytes(value[:2], "little")
    bits = int(dataset.BitsAllocated)
    unsigned = int(value) % 2**bits
    return unsigned - 2**bits if dataset.get("PixelRepresentation") == 1 and unsigned >= 2 ** (bits - 1) else unsigned

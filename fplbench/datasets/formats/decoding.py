"""Decoding of DICOM pixels, the same way on every machine."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fplbench.datasets.registry import Unreadable

if TYPE_CHECKING:
    from pydicom import Dataset as DicomDataset

UNCOMPRESSED = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2")
DEFLATED = "1.2.840.10008.1.2.1.99"
JPEG_EXTENDED = "1.2.840.10008.1.2.4.51"
# pydicom's decoders of each compression, in order of preference. Decoders of lossy JPEG differ by one grey level, so the order
# is fixed, for a file to have the same values on every machine.
DECODERS = {
    "1.2.840.10008.1.2.4.50": ("pillow", "gdcm"),  # JPEG baseline
    JPEG_EXTENDED: ("pillow", "gdcm"),
    "1.2.840.10008.1.2.4.57": ("gdcm", "pylibjpeg"),  # JPEG lossless
    "1.2.840.10008.1.2.4.70": ("gdcm", "pylibjpeg"),
    "1.2.840.10008.1.2.4.80": ("pyjpegls", "gdcm"),  # JPEG-LS
    "1.2.840.10008.1.2.4.81": ("pyjpegls", "gdcm"),
    "1.2.840.10008.1.2.4.90": ("pylibjpeg", "gdcm"),  # JPEG 2000
    "1.2.840.10008.1.2.4.91": ("pylibjpeg", "gdcm"),
    "1.2.840.10008.1.2.4.201": ("pylibjpeg",),  # high-throughput JPEG 2000
    "1.2.840.10008.1.2.4.202": ("pylibjpeg",),
    "1.2.840.10008.1.2.4.203": ("pylibjpeg",),
    "1.2.840.10008.1.2.5": ("pydicom", "gdcm"),  # RLE
}


def decode(source: Any, dataset: "DicomDataset", frames: Sequence[int] = (0,)) -> Iterator[np.ndarray]:
    """Decode frames one at a time.

    Args:
        source: path of the file, or the data set with its pixels.
        dataset: the elements that describe the pixels, and the transfer syntax.
        frames: numbers of the frames, counted from 0.

    Returns:
        An iterator over the stored values, (H, W) each, in the order of `frames`. It raises exceptions of pydicom and its
        decoders for pixels that are damaged.

    Raises:
        Unreadable: there is no decoder for the compression.
    """
    syntax = dataset.file_meta.get("TransferSyntaxUID")
    if syntax == JPEG_EXTENDED and int(dataset.BitsAllocated) > 8:
        raise Unreadable("its compression, lossy JPEG of 12 bits, is not supported")
    how = _decoding(syntax)
    # Frames of unknown offset are found by walking through those before, so all of them are best read in passing.
    every = list(frames) == list(range(int(dataset.get("NumberOfFrames") or 1)))
    return _decoded(source, dataset, how | {"indices": None if every else list(frames)})


def _decoded(source: Any, dataset: "DicomDataset", how: dict[str, Any]) -> Iterator[np.ndarray]:
    from pydicom.pixels import iter_pixels

    if how["indices"] == []:  # which pydicom would take for all frames
        return
    for values in iter_pixels(source, **how):
        yield _within_bits(values, dataset)


def _decoding(syntax: str | None) -> dict[str, Any]:
    """How pydicom is to decode pixels: the same way everywhere, and with the bits as they are stored.

    Raises:
        Unreadable: there is no decoder for the transfer syntax.
    """
    from pydicom.pixels import get_decoder

    how = {"raw": True, "correct_unused_bits": False}
    if syntax in UNCOMPRESSED or syntax == DEFLATED:
        return how
    if syntax not in DECODERS:
        raise Unreadable("its compression is not supported")
    available = get_decoder(syntax).available_plugins
    plugin = next((name for name in DECODERS[syntax] if name in available), None)
    if plugin is None:
        raise Unreadable(f"its compression needs a decoder that is not installed ({' or '.join(DECODERS[syntax])})")
    return how | {"decoding_plugin": plugin}


def _within_bits(values: np.ndarray, dataset: "DicomDataset") -> np.ndarray:
    """Drop the bits above those stored where they are not part of the number; the result has the byte order of the machine.

    Old files keep an overlay in the upper bits, and some write negative numbers without extending the sign into them. Other
    files use them for numbers beyond the bits that they declare, which are kept: such as -2000 outside the field of view, in
    12 bits.
    """
    values = values.astype(values.dtype.newbyteorder("="), copy=False)
    stored, signed = int(dataset.BitsStored), dataset.get("PixelRepresentation") == 1
    spare = 8 * values.dtype.itemsize - stored
    if not 0 < spare < 8 * values.dtype.itemsize:
        return values
    unextended = signed and values.min() >= 0 and values.max() >= 2 ** (stored - 1)
    if unextended or _overlay_in_pixels(dataset):
        values = np.right_shift(np.left_shift(values, spare), spare)
    return values


def _overlay_in_pixels(dataset: "DicomDataset") -> bool:
    """Whether an overlay lies in the unused bits of the pixels, as it could until 2004."""
    places = ((dataset.get((group, 0x0102)), (group, 0x3000) in dataset) for group in range(0x6000, 0x6020, 2))
    return any(place is not None and place.value and not separate for place, separate in places)

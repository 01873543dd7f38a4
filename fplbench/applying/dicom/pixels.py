"""The pixels of one DICOM file: whether they are all there, and one frame at a time. Runs in reading processes."""

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np

from fplbench.datasets.formats.decoding import DEFLATED, UNCOMPRESSED, decode
from fplbench.datasets.formats.dicom import AT_ONCE, frame_count
from fplbench.datasets.formats.dicom_opening import name_syntax, open_file
from fplbench.datasets.registry import Unreadable

if TYPE_CHECKING:
    from pydicom import Dataset as DicomDataset

PIXEL_DATA = 0x7FE00010
FLOAT_PIXELS = (0x7FE00008, 0x7FE00009)
UNKNOWN = 2**32 - 1  # length of an element that ends with a delimiter
ITEM, END = (0xFFFE, 0xE000), (0xFFFE, 0xE0DD)
PIXEL_TAGS: list[str | tuple[int, int]] = [
    "Rows", "Columns", "SamplesPerPixel", "NumberOfFrames", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
    "PhotometricInterpretation",
    *((group, element) for group in range(0x6000, 0x6020, 2) for element in (0x0102, 0x3000)),
]  # fmt: skip
TRUNCATED = "it is truncated: it ends within its pixels"


class Header(NamedTuple):
    """The header of a file, and where its pixels are.

    Attributes:
        elements: those that were asked for.
        start: where the pixels begin in the file; 0 if there are none, or if all is deflated.
        length: of the pixels, bytes.
        floating: whether they are floating-point numbers.
        bare: whether the file has no prefix, or does not name its transfer syntax.
    """

    elements: "DicomDataset"
    start: int
    length: int
    floating: bool
    bare: bool


def read_header(path: Path, tags: Sequence[str]) -> Header:
    """Read some elements of a header, besides those that describe the pixels."""
    from pydicom import config
    from pydicom.filereader import read_partial
    from pydicom.tag import Tag

    config.settings.reading_validation_mode = config.IGNORE  # values that are used are checked where they are used
    at: list[tuple[int, str | None, int]] = []

    def at_pixels(tag: int, vr: str | None, length: int) -> bool:
        if tag == PIXEL_DATA or tag in FLOAT_PIXELS:
            at.append((tag, vr, length))
        return bool(at)

    with open(path, "rb") as stream:
        elements = read_partial(stream, at_pixels, force=True, specific_tags=[Tag(tag) for tag in (*tags, *PIXEL_TAGS)])
        bare = name_syntax(elements)
        if not at:
            return Header(elements, 0, 0, False, bare)
        tag, vr, length = at[0]
        if elements.file_meta.get("TransferSyntaxUID") == DEFLATED:  # the header and the pixels are compressed as one
            return Header(elements, 0, len(open_file(path).get("PixelData", b"")), tag in FLOAT_PIXELS, bare)
        start = stream.tell() + (12 if vr in ("OB", "OW", "UN") else 8)  # tag, VR and length, or tag and length
    return Header(elements, start, length, tag in FLOAT_PIXELS, bare)


def check_complete(path: Path, header: Header) -> None:
    """Raise Unreadable if a file ends within its pixels, or if there is no decoder for them."""
    elements, syntax = header.elements, header.elements.file_meta.get("TransferSyntaxUID")
    decode(path, elements, ())  # which looks for a decoder
    size = path.stat().st_size
    if syntax not in (*UNCOMPRESSED, DEFLATED):
        with open(path, "rb") as stream:
            stream.seek(header.start)
            _pass_fragments(stream, size)
        return
    if header.length == UNKNOWN:
        raise Unreadable("its pixels are compressed, and it does not say how")
    sides = int(elements.get("Rows") or 0) * int(elements.get("Columns") or 0)
    needed = frame_count(elements) * sides * int(elements.get("BitsAllocated") or 0) // 8
    there = min(header.length, size - header.start) if header.start else header.length
    if there < needed:
        raise Unreadable(f"it is truncated: its pixels need {needed} bytes, and it has {there}")


class FrameReader:
    """Reads frames of files one at a time, and stays in a file, as finding its pixels can take longer than decoding a frame."""

    def __init__(self) -> None:
        """Start without a file."""
        self._path: Path | None = None
        self._next = 0
        self._step = 1
        self._frames: Iterator[np.ndarray] = iter(())

    def read(self, path: Path, index: int) -> np.ndarray:
        """Decode one frame.

        Args:
            path: the file.
            index: number of the frame, counted from 0. Ascending and descending numbers are read without a new start.

        Returns:
            (H, W), integers as `fplbench.datasets.formats.decoding.decode` gives them.

        Raises:
            Unreadable: the compression is not supported.
        """
        if path != self._path or index != self._next:
            turned = path == self._path and index == self._next - 2 * self._step
            self._step = -self._step if turned else 1
            self._frames = _frames_from(path, index, self._step)
        self._path, self._next = None, 0  # in case that the next line fails
        stored = next(self._frames)
        self._path, self._next = path, index + self._step
        return stored


def _frames_from(path: Path, index: int, step: int) -> Iterator[np.ndarray]:
    """The frames of a file from one of them to the last, or backwards to the first."""
    if path.stat().st_size <= AT_ONCE:
        elements = open_file(path)
        source: Any = elements
    else:
        header = read_header(path, [])
        elements = header.elements
        whole = header.bare or elements.file_meta.get("TransferSyntaxUID") == DEFLATED  # neither can be read in parts
        source = open_file(path) if whole else path
    frames = range(index, frame_count(elements) if step > 0 else -1, step)
    return decode(source, elements, frames)


def _pass_fragments(stream: BinaryIO, size: int) -> None:
    """Go from one fragment of compressed pixels to the next, up to the delimiter after the last."""
    fragments = 0
    while True:
        head = stream.read(8)
        if len(head) < 8:
            raise Unreadable(TRUNCATED)
        tag, (length,) = struct.unpack("<HH", head[:4]), struct.unpack("<L", head[4:])
        if tag == END:
            break
        if tag != ITEM:
            raise Unreadable("its compressed pixels are damaged")
        if stream.seek(length, 1) > size:
            raise Unreadable(TRUNCATED)
        fragments += 1
    if fragments < 2:  # the first is the table of offsets
        raise Unreadable("it has no pixels")

"""Reading DICOM files: headers without pixels, and pixels that are checked before they are decoded."""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fplbench.datasets.formats.decoding import UNCOMPRESSED, decode
from fplbench.datasets.formats.dicom_opening import begins_as_dicom, is_readable_in_parts, open_file
from fplbench.datasets.registry import NotAnImage, Unreadable
from fplbench.datasets.sampling.display import check_size

if TYPE_CHECKING:
    from pydicom import Dataset as DicomDataset

OTHER_FILES = (
    ".xml", ".sqlite", ".csv", ".txt", ".json", ".md", ".html", ".pdf", ".zip", ".tcia", ".s5cmd", ".py",
)  # fmt: skip
PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".gif")
AT_ONCE = 2**24  # bytes of a file that is read at once, which is faster than its header first
PIXEL_TAGS = (
    "Modality",
    "Rows",
    "Columns",
    "SamplesPerPixel",
    "NumberOfFrames",
    "BitsAllocated",
    "BitsStored",
    "PixelRepresentation",
    "PhotometricInterpretation",
)


def left_out(path: str, root: Path) -> str:
    """Leave out files whose suffix shows that they are not DICOM; many DICOM files have no suffix."""
    for suffixes, reason in ((OTHER_FILES, "not an image"), (PICTURES, "a kind of picture that is not read")):
        for suffix in suffixes:
            if path.lower().endswith(suffix):
                return f"{suffix}, {reason}"
    return ""


def read_tags(path: Path, tags: Sequence[str], modalities: Sequence[str], several: bool = False) -> "DicomDataset":
    """Read some elements of a header, and those that describe the pixels, without reading the pixels.

    Args:
        path: the file.
        tags: keywords of the elements to read.
        modalities: the modalities that are accepted.
        several: whether the file may hold several frames.

    Raises:
        NotAnImage: the file is not DICOM and is not named .dcm, has another modality, or holds no image, a colour image, or
            several frames where only one is accepted.
        Unreadable: the file is named .dcm but is not DICOM, or its image cannot have the size given in the header.
    """
    if not begins_as_dicom(path):
        raise _not_dicom(path)
    _accept_odd_values()
    header = open_file(path, stop_before_pixels=True, specific_tags=["SOPClassUID", *tags, *PIXEL_TAGS])
    if header.preamble is None and not header.get("SOPClassUID"):  # so it began like a DICOM file by chance
        raise _not_dicom(path)
    # The modality comes first: other rules apply to segmentations and reports.
    if header.get("Modality") not in modalities:
        raise NotAnImage(f"modality {_modality(header)}")
    if header.get("Rows") is None and header.get("Columns") is None:
        raise NotAnImage(f"{_modality(header)} without an image")
    check_pixels(header, path, several)
    return header


def check_pixels(header: "DicomDataset", path: Path, several: bool = False) -> None:
    """Check that a file holds grey images of plausible size, and is long enough for them.

    Args:
        header: the elements that describe the pixels.
        path: the file.
        several: whether the file may hold several frames.

    Raises:
        NotAnImage: it holds a colour image, or several frames where only one is accepted.
        Unreadable: the size or the number of bits is impossible, or the file is truncated.
    """
    frames = frame_count(header)
    if frames > 1 and not several:
        raise NotAnImage("several frames in one file")
    if int(header.get("SamplesPerPixel") or 1) != 1:
        raise NotAnImage("a colour image")
    rows, columns = int(header.get("Rows") or 0), int(header.get("Columns") or 0)
    check_size(rows, columns)
    bits = header.get("BitsAllocated")
    if bits not in (8, 16, 32):
        raise Unreadable(f"it has {bits} bits per pixel" if isinstance(bits, int) else "its number of bits per pixel is invalid")
    needed = frames * rows * columns * bits // 8
    if header.file_meta.get("TransferSyntaxUID") in UNCOMPRESSED and path.stat().st_size < needed:
        raise Unreadable(f"it is truncated: it has {path.stat().st_size} bytes, and its pixels alone need {needed}")


def frame_count(header: "DicomDataset") -> int:
    """Number of frames that a header claims."""
    return int(header.get("NumberOfFrames") or 1)


def read_pixels(path: Path) -> tuple["DicomDataset", np.ndarray]:
    """Read a whole file that holds one image.

    Returns:
        The data set, and the stored values (H, W).

    Raises:
        NotAnImage: it holds several frames, or a colour image.
        Unreadable: it is truncated, or no decoder for its compression is installed.
    """
    _accept_odd_values()
    dataset = open_file(path)
    _check_whole(dataset)
    check_pixels(dataset, path)
    (values,) = decode(dataset, dataset)
    return dataset, values


def open_frames(path: Path) -> tuple["DicomDataset", Callable[[Sequence[int]], Iterator[np.ndarray]]]:
    """Open a file of one or several frames, which are then read one at a time: any length needs the memory of a few frames.

    Args:
        path: the file.

    Returns:
        The data set, and a function from the numbers of frames, counted from 0, to an iterator over their stored values,
        (H, W) each, in the order of the numbers.

    Raises:
        NotAnImage: it holds a colour image.
        Unreadable: it is truncated. The function raises it if no decoder for the compression is installed, and the iterator
            raises other exceptions for pixels that are damaged.
    """
    _accept_odd_values()
    whole = path.stat().st_size <= AT_ONCE or not is_readable_in_parts(path)
    dataset = open_file(path, stop_before_pixels=not whole)
    if whole:
        _check_whole(dataset)
    check_pixels(dataset, path, several=True)
    return dataset, partial(decode, dataset if whole else path, dataset)


def _check_whole(dataset: "DicomDataset") -> None:
    """Raise Unreadable if the pixels of a file that was read as a whole are missing, or are compressed in an unknown way."""
    if "PixelData" not in dataset:  # pydicom drops the element if the file ends within compressed pixels
        raise Unreadable("it is truncated: it ends within its pixels")
    if dataset.file_meta.TransferSyntaxUID in UNCOMPRESSED and dataset["PixelData"].is_undefined_length:
        raise Unreadable("its pixels are compressed, and it does not say how")


def stored_range(dataset: "DicomDataset") -> tuple[float, float]:
    """Lowest and highest value that the stored bits can represent."""
    bits = int(dataset.BitsStored)
    if not 1 <= bits <= int(dataset.BitsAllocated):
        raise Unreadable(f"it claims to store {bits} of {dataset.BitsAllocated} bits per pixel")
    if dataset.get("PixelRepresentation") == 1:
        return float(-(2 ** (bits - 1))), float(2 ** (bits - 1) - 1)
    return 0.0, float(2**bits - 1)


def digest(text: str) -> str:
    """Short form of a unique identifier: 12 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _not_dicom(path: Path) -> NotAnImage | Unreadable:
    """The error for a file that is not DICOM, whose name may promise that it is."""
    if path.suffix.lower() == ".dcm":
        return Unreadable("it is named .dcm but is not a DICOM file")
    return NotAnImage("not a DICOM file")


def _modality(header: "DicomDataset") -> str:
    """The modality, for a message. A damaged value is not repeated: it could be any text of the header."""
    value = header.get("Modality")
    if not value:
        return "not given"
    return str(value) if re.fullmatch(r"[A-Z]{2,12}", str(value)) else "not a valid code"


def _accept_odd_values() -> None:
    """Turn off pydicom's warnings about values that violate the standard; the values used here are checked where used."""
    from pydicom import config

    config.settings.reading_validation_mode = config.IGNORE

"""What the DICOM loaders share: headers without pixels, and pixels that are checked before they are decoded."""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fplbench.datasets.display import check_size
from fplbench.datasets.registry import NotAnImage, Unreadable

if TYPE_CHECKING:
    from pydicom import Dataset as DicomDataset

UNCOMPRESSED = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2")
JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
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


def is_dicom(path: Path) -> bool:
    """Whether a file has the mark of a DICOM file, `DICM` after 128 bytes."""
    with open(path, "rb") as file:
        return file.read(132)[128:] == b"DICM"


def read_tags(path: Path, tags: Sequence[str], modalities: Sequence[str]) -> "DicomDataset":
    """Read the named elements and those that describe the pixels; stop before the pixels.

    Raises:
        NotAnImage: the file has another suffix than .dcm and is no DICOM file, is of another modality than those
            named, or holds no image or several.
        Unreadable: the file says .dcm and is none, or its image cannot be as large as it says.
    """
    import pydicom

    if not is_dicom(path):
        if path.suffix.lower() == ".dcm":
            raise Unreadable("it is no DICOM file, though its name says so")
        raise NotAnImage("no DICOM file")
    _accept_odd_values()
    header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=[*tags, *PIXEL_TAGS])
    # Before anything else: segmentations and reports follow other rules than images.
    if header.get("Modality") not in modalities:
        raise NotAnImage(f"modality {_modality(header)}")
    if header.get("Rows") is None and header.get("Columns") is None:
        raise NotAnImage(f"{_modality(header)} without an image")
    check_pixels(header, path)
    return header


def check_pixels(header: "DicomDataset", path: Path) -> None:
    """Raise unless the file holds one grey image of sensible size, and is as long as that needs."""
    if int(header.get("NumberOfFrames") or 1) > 1:
        raise NotAnImage("several frames in one file")
    if int(header.get("SamplesPerPixel") or 1) != 1:
        raise NotAnImage("a colour image")
    rows, columns = int(header.get("Rows") or 0), int(header.get("Columns") or 0)
    check_size(rows, columns)
    bits = header.get("BitsAllocated")
    if bits not in (8, 16, 32):
        raise Unreadable(f"it has {bits} bits a pixel" if isinstance(bits, int) else "its number of bits a pixel is odd")
    needed = rows * columns * bits // 8
    if header.file_meta.get("TransferSyntaxUID") in UNCOMPRESSED and path.stat().st_size < needed:
        raise Unreadable(f"it is cut short: {path.stat().st_size} bytes, of which {needed} are to be pixels")


def read_pixels(path: Path) -> tuple["DicomDataset", np.ndarray]:
    """Read a file whole: its data set, and the stored values (H, W).

    Plain files are decoded by NumPy, JPEG baseline by Pillow, JPEG lossless by GDCM where it is installed.
    """
    import pydicom

    _accept_odd_values()
    dataset = pydicom.dcmread(path)
    if "PixelData" not in dataset:  # pydicom drops everything when a file ends within compressed pixels
        raise Unreadable("it is cut short: it ends before its pixels do")
    check_pixels(dataset, path)
    syntax = dataset.file_meta.TransferSyntaxUID
    if syntax == JPEG_BASELINE:
        dataset.pixel_array_options(decoding_plugin="pillow")  # decoders differ by a grey level, so this one is pinned
    elif syntax not in UNCOMPRESSED and not _has_decoder(syntax):
        raise Unreadable("its compression needs a decoder that is not installed: JPEG lossless needs python-gdcm")
    return dataset, dataset.pixel_array


def stored_range(dataset: "DicomDataset") -> tuple[float, float]:
    """Lowest and highest value that the stored bits can hold."""
    bits = int(dataset.BitsStored)
    if not 1 <= bits <= int(dataset.BitsAllocated):
        raise Unreadable(f"it claims to store {bits} of {dataset.BitsAllocated} bits a pixel")
    if dataset.get("PixelRepresentation") == 1:
        return float(-(2 ** (bits - 1))), float(2 ** (bits - 1) - 1)
    return 0.0, float(2**bits - 1)


def digest(text: str) -> str:
    """Twelve hexadecimal digits that stand for a unique identifier."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _modality(header: "DicomDataset") -> str:
    """The modality for a message; a damaged one is not repeated, as it could be any text of the header."""
    value = header.get("Modality")
    return value if re.fullmatch(r"[A-Z]{2,12}", str(value)) else "that is no valid code" if value else "not given"


def _has_decoder(syntax: str) -> bool:
    import pydicom

    try:
        return pydicom.pixels.get_decoder(syntax).is_available
    except NotImplementedError:
        return False


def _accept_odd_values() -> None:
    """Read values that break the standard's rules for their type without a word; what matters is checked by use."""
    from pydicom import config

    config.settings.reading_validation_mode = config.IGNORE

"""Reading DICOM files: headers without pixels, and pixels that are checked before they are decoded."""

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
    """Whether a file has the prefix of a DICOM file, `DICM` after 128 bytes."""
    with open(path, "rb") as file:
        return file.read(132)[128:] == b"DICM"


def read_tags(path: Path, tags: Sequence[str], modalities: Sequence[str]) -> "DicomDataset":
    """Read some elements of a header, and those that describe the pixels, without reading the pixels.

    Args:
        path: the file.
        tags: keywords of the elements to read.
        modalities: the modalities that are accepted.

    Raises:
        NotAnImage: the file is not DICOM and is not named .dcm, has another modality, or holds no image or several.
        Unreadable: the file is named .dcm but is not DICOM, or its image cannot have the size given in the header.
    """
    import pydicom

    if not is_dicom(path):
        if path.suffix.lower() == ".dcm":
            raise Unreadable("it is named .dcm but is not a DICOM file")
        raise NotAnImage("not a DICOM file")
    _accept_odd_values()
    header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=[*tags, *PIXEL_TAGS])
    # The modality comes first: other rules apply to segmentations and reports.
    if header.get("Modality") not in modalities:
        raise NotAnImage(f"modality {_modality(header)}")
    if header.get("Rows") is None and header.get("Columns") is None:
        raise NotAnImage(f"{_modality(header)} without an image")
    check_pixels(header, path)
    return header


def check_pixels(header: "DicomDataset", path: Path) -> None:
    """Check that a file holds one grey image of plausible size, and is long enough for it.

    Raises:
        NotAnImage: it holds several frames or a colour image.
        Unreadable: the size or the number of bits is impossible, or the file is truncated.
    """
    if int(header.get("NumberOfFrames") or 1) > 1:
        raise NotAnImage("several frames in one file")
    if int(header.get("SamplesPerPixel") or 1) != 1:
        raise NotAnImage("a colour image")
    rows, columns = int(header.get("Rows") or 0), int(header.get("Columns") or 0)
    check_size(rows, columns)
    bits = header.get("BitsAllocated")
    if bits not in (8, 16, 32):
        raise Unreadable(f"it has {bits} bits per pixel" if isinstance(bits, int) else "its number of bits per pixel is invalid")
    needed = rows * columns * bits // 8
    if header.file_meta.get("TransferSyntaxUID") in UNCOMPRESSED and path.stat().st_size < needed:
        raise Unreadable(f"it is truncated: it has {path.stat().st_size} bytes, and its pixels alone need {needed}")


def read_pixels(path: Path) -> tuple["DicomDataset", np.ndarray]:
    """Read a whole file.

    Uncompressed pixels are decoded by NumPy, JPEG baseline by Pillow, and JPEG lossless by GDCM if it is installed.

    Returns:
        The data set, and the stored values (H, W).
    """
    import pydicom

    _accept_odd_values()
    dataset = pydicom.dcmread(path)
    if "PixelData" not in dataset:  # pydicom drops the element if the file ends within compressed pixels
        raise Unreadable("it is truncated: it ends within its pixels")
    check_pixels(dataset, path)
    syntax = dataset.file_meta.TransferSyntaxUID
    if syntax == JPEG_BASELINE:
        dataset.pixel_array_options(decoding_plugin="pillow")  # decoders differ by one grey level, so fix one
    elif syntax not in UNCOMPRESSED and not _has_decoder(syntax):
        raise Unreadable("its compression needs a decoder that is not installed (JPEG lossless: python-gdcm)")
    return dataset, dataset.pixel_array


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


def _modality(header: "DicomDataset") -> str:
    """The modality, for a message. A damaged value is not repeated: it could be any text of the header."""
    value = header.get("Modality")
    if not value:
        return "not given"
    return str(value) if re.fullmatch(r"[A-Z]{2,12}", str(value)) else "not a valid code"


def _has_decoder(syntax: str) -> bool:
    import pydicom

    try:
        return bool(pydicom.pixels.get_decoder(syntax).is_available)
    except NotImplementedError:
        return False


def _accept_odd_values() -> None:
    """Turn off pydicom's warnings about values that violate the standard; the values used here are checked where used."""
    from pydicom import config

    config.settings.reading_validation_mode = config.IGNORE

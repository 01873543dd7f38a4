"""The header of a DICOM image that is derived from another. Runs in reading processes."""

import struct
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from fplbench import __version__
from fplbench.applying.dicom.derivation import Derivation, add_derivation, program_of, series_description, source_of
from fplbench.applying.dicom.elements import drop_outdated, readable
from fplbench.applying.dicom.file import LARGEST_NUMBER, ImageFile, integer
from fplbench.applying.dicom.frames import derive_frames, has_groups
from fplbench.applying.dicom.residual import make_residual
from fplbench.applying.scan import Kind
from fplbench.datasets.formats.dicom_opening import open_file

if TYPE_CHECKING:
    from pydicom import Dataset as DicomDataset

EXPLICIT = "1.2.840.10008.1.2.1"  # explicit VR little endian, uncompressed
LOSSY = {
    "1.2.840.10008.1.2.4.50": "ISO_10918_1",
    "1.2.840.10008.1.2.4.51": "ISO_10918_1",
    "1.2.840.10008.1.2.4.81": "ISO_14495_1",
}
# Nuclear medicine (PS3.3 C.8.4.9.1.1) and PET (C.8.9.4.1.1) have no other second value of the type.
ALWAYS_PRIMARY = ("1.2.840.10008.5.1.4.1.1.20", "1.2.840.10008.5.1.4.1.1.128")
SERIES_STEP = {"denoised": 1000, "residual": 2000, "features": 3000}


def derived_header(path: Path, derivation: Derivation) -> bytes:
    """The beginning of a file derived from the one at a path: everything before the pixels, which follow it uncompressed.

    Nothing in it depends on the time or the machine, so that the same input and model give the same file.
    """
    from pydicom import config

    config.settings.reading_validation_mode = config.IGNORE
    original = open_file(path, stop_before_pixels=True)
    syntax = original.file_meta.TransferSyntaxUID
    derived = readable(original)
    drop_outdated(derived, derivation.keep_private)
    if not derived.get("SeriesInstanceUID"):
        derived.SeriesInstanceUID = derivation.series
    source, series = source_of(derived), str(derived.SeriesInstanceUID)
    _keep_loss(derived, syntax, path)
    _describe(derived, derivation)
    _identify(derived, derivation)
    if has_groups(derived):
        derive_frames(derived, source, series, derivation)
    else:
        _name_type(derived)
        add_derivation(derived, source, derivation)
    derived.ContributingEquipmentSequence = [*(derived.get("ContributingEquipmentSequence") or ()), program_of(derivation)]
    if derivation.kind == "residual":
        make_residual(derived)
    pixels = int(derived.Rows) * int(derived.Columns) * int(derived.get("NumberOfFrames") or 1)
    return _encoded(derived) + _pixel_element(pixels, derivation.bytes_per_pixel)


def derived_uid(kind: str, digest: str, uid: str) -> str:
    """UID of what is derived from something: the same twice, and another for another kind or model."""
    from pydicom.uid import generate_uid

    return str(generate_uid(entropy_srcs=[kind, digest, uid]))


def series_uid(file: ImageFile) -> str:
    """UID of a series, or what stands for it where it has none, derived from its first file."""
    part = file.path if file.shared else ""
    return file.series or derived_uid("series", file.study, f"{file.instance} {part}".strip())


def _keep_loss(derived: "DicomDataset", syntax: str, path: Path) -> None:
    """Say that the image has been compressed with loss if it was, as this must never be unsaid (PS3.3 C.7.6.1.1.5)."""
    if syntax not in LOSSY or derived.get("LossyImageCompression") == "01":
        return
    pixels = int(derived.Rows) * int(derived.Columns) * int(derived.get("NumberOfFrames") or 1)
    derived.LossyImageCompression = "01"
    derived.LossyImageCompressionRatio = f"{pixels * int(derived.BitsAllocated) / 8 / path.stat().st_size:.1f}"
    derived.LossyImageCompressionMethod = LOSSY[syntax]


def series_number(header: "DicomDataset", kind: Kind) -> int:
    """Number of the series of what is derived from an image."""
    number = (integer(header.get("SeriesNumber")) or 0) + SERIES_STEP[kind]
    return number if number <= LARGEST_NUMBER else SERIES_STEP[kind]


def _name_type(derived: "DicomDataset") -> None:
    """The type of an image that is not enhanced."""
    before = derived.get("ImageType") or []
    before = [before] if isinstance(before, str) else list(before)
    rest = before[2:] or (["AXIAL"] if derived.get("Modality") == "CT" else [])
    second = "PRIMARY" if derived.get("SOPClassUID") in ALWAYS_PRIMARY else "SECONDARY"
    derived.ImageType = ["DERIVED", second, *rest]


def _describe(derived: "DicomDataset", derivation: Derivation) -> None:
    """The name of the series."""
    before = derived.get("SeriesDescription") or ""
    before = before if isinstance(before, str) else "/".join(map(str, before))  # of a text with backslashes, which has one value
    derived.SeriesDescription = series_description(before, derivation.kind, derivation.stamp.model)


def _identify(derived: "DicomDataset", derivation: Derivation) -> None:
    """New UIDs of image and series, and another number of the series; study, patient and frame of reference stay."""
    kind, digest = derivation.kind, derivation.stamp.digest
    derived.SOPInstanceUID = derived_uid(kind, digest, f"{derived.SOPInstanceUID} {derivation.part}".strip())
    derived.SeriesInstanceUID = derived_uid(kind, digest, str(derived.SeriesInstanceUID))
    derived.SeriesNumber = series_number(derived, kind)


def _encoded(derived: "DicomDataset") -> bytes:
    """The file from its preamble to the last element before the pixels, in explicit VR little endian."""
    from pydicom import dcmwrite
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import UID

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = derived.SOPClassUID, derived.SOPInstanceUID
    meta.TransferSyntaxUID, meta.ImplementationVersionName = UID(EXPLICIT), f"fplbench {__version__}"[:16]
    derived.file_meta, derived.preamble = meta, b"\0" * 128
    buffer = BytesIO()
    dcmwrite(buffer, derived, enforce_file_format=True)
    return buffer.getvalue()


def _pixel_element(pixels: int, size: int) -> bytes:
    """Tag, VR and length of the pixels in explicit VR little endian. An odd number of bytes is filled up with one."""
    length = pixels * size
    return struct.pack("<HH2sHL", 0x7FE0, 0x0010, b"OB" if size == 1 else b"OW", 0, length + length % 2)

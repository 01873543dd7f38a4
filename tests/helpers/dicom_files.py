"""Small DICOM files for tests: CT slices and radiographs."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pydicom

FILES = Path(pydicom.__file__).parent / "data" / "test_files"
"""The test files that pydicom brings along."""
IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"


def new_file(storage: str, sop: str, syntax: str, shape: Sequence[int], bits: int, signed: bool = False) -> Any:
    """A data set of grey images without its pixels.

    Args:
        storage: SOPClassUID.
        sop: SOPInstanceUID.
        syntax: transfer syntax.
        shape: rows and columns.
        bits: of each pixel.
        signed: whether values are stored as signed integers.
    """
    from pydicom.dataset import FileDataset, FileMetaDataset

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID, meta.TransferSyntaxUID = storage, sop, syntax
    file = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    file.SOPClassUID, file.SOPInstanceUID = storage, sop
    file.Rows, file.Columns = shape
    file.SamplesPerPixel, file.PhotometricInterpretation = 1, "MONOCHROME2"
    file.BitsAllocated, file.BitsStored, file.HighBit, file.PixelRepresentation = bits, bits, bits - 1, int(signed)
    return file


def save(file: Any, path: Path, elements: Mapping[str, Any]) -> Path:
    """Write a data set with further elements by keyword, where None removes one; missing folders are created."""
    for keyword, value in elements.items():
        if value is None:
            del file[keyword]
        else:
            setattr(file, keyword, value)
    path.parent.mkdir(parents=True, exist_ok=True)
    file.save_as(path, enforce_file_format=True)
    return path


def write_ct(
    path: Path,
    *,
    patient: str = "P1",
    series: str = "1.2.3",
    z: float = 0.0,
    number: int = 1,
    hounsfield: np.ndarray | None = None,
    stored: np.ndarray | None = None,
    signed: bool = True,
    syntax: str = EXPLICIT,
    intercept: int = -1024,
    modality: str = "CT",
    sop: str | None = None,
    **elements: Any,
) -> Path:
    """Write a CT slice.

    Args:
        path: the file; missing folders are created.
        patient: PatientID.
        series: SeriesInstanceUID.
        z: position along the body axis, mm.
        number: InstanceNumber.
        hounsfield: values in HU; zeros (24, 24) by default.
        stored: values as stored, instead of `hounsfield`.
        signed: whether values are stored as signed integers.
        syntax: transfer syntax.
        intercept: RescaleIntercept.
        modality: Modality.
        sop: SOPInstanceUID; derived from series, position and number by default.
        elements: further elements by keyword; None removes an element.

    Returns:
        `path`.
    """
    from pydicom.uid import generate_uid

    if stored is None:
        hounsfield = np.zeros((24, 24), np.int16) if hounsfield is None else hounsfield
        stored = (hounsfield.astype(np.int32) - intercept).astype(np.int16 if signed else np.uint16)
    sop = sop or generate_uid(entropy_srcs=[series, str(z), str(number)])
    file = new_file("1.2.840.10008.5.1.4.1.1.2", sop, syntax, stored.shape, 16, signed)
    file.Modality, file.PatientID, file.SeriesInstanceUID = modality, patient, series
    file.ImageType, file.InstanceNumber = ["ORIGINAL", "PRIMARY", "AXIAL"], number
    file.ImagePositionPatient, file.ImageOrientationPatient = [-10, -10, z], [1, 0, 0, 0, 1, 0]
    file.PixelSpacing, file.RescaleSlope, file.RescaleIntercept = [0.7, 0.6], 1, intercept
    file.PixelData = stored.astype("<i2" if signed else "<u2").tobytes()
    file["PixelData"].VR = "OW"
    return save(file, path, elements)


def write_radiograph(
    path: Path, grey: np.ndarray, *, photometric: str = "MONOCHROME2", quality: int = 95, **elements: Any
) -> Path:
    """Write an 8-bit radiograph as JPEG-compressed DICOM; further elements by keyword."""
    from PIL import Image
    from pydicom.encaps import encapsulate
    from pydicom.uid import generate_uid

    sop = generate_uid(entropy_srcs=[path.name])
    file = new_file("1.2.840.10008.5.1.4.1.1.7", sop, "1.2.840.10008.1.2.4.50", grey.shape, 8)
    file.PhotometricInterpretation = photometric
    file.Modality, file.PatientID, file.PixelSpacing = "CR", path.stem, [0.14, 0.14]
    stream = BytesIO()
    Image.fromarray(grey).save(stream, "JPEG", quality=quality)
    file.PixelData = encapsulate([stream.getvalue()])
    return save(file, path, elements)


def write_lidc(root: Path) -> Path:
    """Write six patients with twelve 24x24 slices, 2.5 mm apart; each slice has the value 100 * patient - slice HU."""
    for patient in range(1, 7):
        for number in range(12):
            name = f"LIDC-IDRI-{patient:04d}"
            write_ct(
                root / name / "study" / "series" / f"1-{number:03d}.dcm",
                patient=name,
                series=f"1.2.{patient}",
                z=-2.5 * number,
                number=number + 1,
                hounsfield=np.full((24, 24), 100 * patient - number, np.int16),
            )
    return root

"""Enhanced multi-frame DICOM files for tests, with the functional groups that readers need."""

from pathlib import Path
from typing import Any

import numpy as np

CLASSES = {"CT": "1.2.840.10008.5.1.4.1.1.2.1", "MR": "1.2.840.10008.5.1.4.1.1.4.1"}
FRAME_TYPES = {"CT": "CTImageFrameTypeSequence", "MR": "MRImageFrameTypeSequence"}
EXPLICIT = "1.2.840.10008.1.2.1"


def write_enhanced(
    path: Path,
    stored: np.ndarray,
    *,
    modality: str = "CT",
    positions: list[float] | None = None,
    slopes: list[float] | None = None,
    intercept: float = -1024,
    syntax: str = EXPLICIT,
    **elements: Any,
) -> Path:
    """Write a multi-frame CT or MR.

    Args:
        path: the file; missing folders are created.
        stored: (N, H, W), int16 or uint16.
        modality: CT or MR.
        positions: z of each frame, mm; 2.5 mm apart by default.
        slopes: RescaleSlope of each frame; 1 by default.
        intercept: RescaleIntercept.
        syntax: transfer syntax; compressed ones are encoded by pydicom.
        elements: further elements by keyword.

    Returns:
        `path`.
    """
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import generate_uid

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = CLASSES[modality], EXPLICIT
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[path.name])
    file = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    file.SOPClassUID, file.SOPInstanceUID = CLASSES[modality], meta.MediaStorageSOPInstanceUID
    file.Modality, file.PatientID, file.PatientName = modality, "P1", "Doe^Jane"
    file.StudyInstanceUID, file.SeriesInstanceUID, file.FrameOfReferenceUID = "1.2.7", "1.2.8", "1.2.9"
    file.SeriesNumber, file.InstanceNumber, file.SeriesDescription = 4, 1, "Thorax"
    file.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    file.NumberOfFrames, file.Rows, file.Columns = stored.shape
    file.SamplesPerPixel, file.PhotometricInterpretation = 1, "MONOCHROME2"
    file.BitsAllocated, file.BitsStored, file.HighBit, file.PixelRepresentation = 16, 16, 15, int(stored.dtype.kind == "i")
    positions = [2.5 * number for number in range(len(stored))] if positions is None else positions
    slopes = [1.0] * len(stored) if slopes is None else slopes
    file.SharedFunctionalGroupsSequence = [_shared(modality)]
    file.PerFrameFunctionalGroupsSequence = [
        _frame(z, slope, intercept, "HU" if modality == "CT" else "US") for z, slope in zip(positions, slopes, strict=True)
    ]
    file.PixelData = stored.astype(stored.dtype.newbyteorder("<")).tobytes()
    file["PixelData"].VR = "OW"
    for keyword, value in elements.items():
        setattr(file, keyword, value)
    if syntax != EXPLICIT:
        file.compress(syntax, generate_instance_uid=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    file.save_as(path, enforce_file_format=True)
    return path


def _item(**elements: Any):
    from pydicom import Dataset

    item = Dataset()
    for keyword, value in elements.items():
        setattr(item, keyword, value)
    return item


def _shared(modality: str):
    kind = _item(
        FrameType=["ORIGINAL", "PRIMARY", "VOLUME", "NONE"],
        PixelPresentation="MONOCHROME",
        VolumetricProperties="VOLUME",
        VolumeBasedCalculationTechnique="NONE",
    )
    shared = _item(
        PixelMeasuresSequence=[_item(PixelSpacing=[0.7, 0.6], SliceThickness=2.5)],
        PlaneOrientationSequence=[_item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])],
        FrameVOILUTSequence=[_item(WindowCenter=40, WindowWidth=400)],
    )
    setattr(shared, FRAME_TYPES[modality], [kind])
    return shared


def _frame(z: float, slope: float, intercept: float, kind: str):
    return _item(
        FrameContentSequence=[_item(StackID="1", InStackPositionNumber=1)],
        PlanePositionSequence=[_item(ImagePositionPatient=[-10, -10, z])],
        PixelValueTransformationSequence=[_item(RescaleSlope=slope, RescaleIntercept=intercept, RescaleType=kind)],
    )

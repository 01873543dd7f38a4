"""Small enhanced multi-frame DICOM files for tests."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tests.helpers.dicom_files import EXPLICIT, new_file, save

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
STORAGE = {"CT": "1.2.840.10008.5.1.4.1.1.2.1", "MR": "1.2.840.10008.5.1.4.1.1.4.1"}


def write_multiframe(
    path: Path,
    stored: np.ndarray,
    places: Sequence[Sequence[float]],
    *,
    modality: str = "CT",
    orientations: Sequence[Sequence[float]] | None = None,
    rescale: Sequence[tuple[float, float]] | tuple[float, float] = (1, -1024),
    spacing: tuple[float, float] = (0.7, 0.6),
    frame_types: Sequence[Sequence[str]] | None = None,
    groups: Sequence[dict[str, dict[str, Any]]] | None = None,
    syntax: str = EXPLICIT,
    **elements: Any,
) -> Path:
    """Write an enhanced multi-frame file, with the functional groups that readers need.

    Args:
        path: the file; missing folders are created.
        stored: (N, H, W), integers of 16 bits.
        places: ImagePositionPatient of each frame.
        modality: CT or MR.
        orientations: ImageOrientationPatient of each frame; None: axial, shared by all frames.
        rescale: slope and intercept of each frame, or a pair that all frames share.
        spacing: (row, column) spacing, shared by all frames.
        frame_types: FrameType of each frame.
        groups: further macros of each frame: by the keyword of the sequence, the elements of its item.
        syntax: transfer syntax, uncompressed or deflated.
        elements: further elements by keyword; None removes an element.
    """
    file = _header(path, stored, modality, syntax)
    shared = {"PixelMeasuresSequence": {"PixelSpacing": list(spacing)}}
    if orientations is None:
        shared["PlaneOrientationSequence"] = {"ImageOrientationPatient": list(AXIAL)}
    if not isinstance(rescale[0], tuple):
        shared["PixelValueTransformationSequence"] = _transformation(rescale)
    file.SharedFunctionalGroupsSequence = [_item(shared)]
    file.PerFrameFunctionalGroupsSequence = [
        _item(_frame(number, places, orientations, rescale, frame_types, modality) | (groups[number] if groups else {}))
        for number in range(len(stored))
    ]
    return save(file, path, elements)


def _header(path: Path, stored: np.ndarray, modality: str, syntax: str) -> Any:
    """A data set with its pixels, without functional groups."""
    from pydicom.uid import UID, generate_uid

    sop = generate_uid(entropy_srcs=[path.as_posix()])
    file = new_file(STORAGE[modality], sop, syntax, stored.shape[1:], 16, stored.dtype.kind == "i")
    file.Modality, file.PatientID, file.SeriesInstanceUID, file.StudyInstanceUID = modality, "P1", "1.2.3", "1.2"
    file.ImageType, file.InstanceNumber, file.NumberOfFrames = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"], 1, len(stored)
    order = "<" if UID(syntax).is_little_endian else ">"
    file.PixelData = stored.astype(f"{order}{stored.dtype.kind}2").tobytes()
    file["PixelData"].VR = "OW"
    return file


def _frame(
    number: int, places: Any, orientations: Any, rescale: Any, frame_types: Any, modality: str
) -> dict[str, dict[str, Any]]:
    """The functional groups of one frame."""
    own: dict[str, dict[str, Any]] = {"PlanePositionSequence": {"ImagePositionPatient": list(places[number])}}
    if orientations is not None:
        own["PlaneOrientationSequence"] = {"ImageOrientationPatient": list(orientations[number])}
    if isinstance(rescale[0], tuple):
        own["PixelValueTransformationSequence"] = _transformation(rescale[number])
    if frame_types is not None:
        own[f"{modality}ImageFrameTypeSequence"] = {"FrameType": list(frame_types[number])}
    return own


def _transformation(rescale: Any) -> dict[str, Any]:
    return {"RescaleSlope": rescale[0], "RescaleIntercept": rescale[1], "RescaleType": "US"}


def _item(macros: dict[str, dict[str, Any]]) -> Any:
    """A data set with a sequence of one item for each macro."""
    from pydicom import Dataset

    result = Dataset()
    for keyword, elements in macros.items():
        item = Dataset()
        for name, value in elements.items():
            setattr(item, name, value)
        setattr(result, keyword, [item])
    return result

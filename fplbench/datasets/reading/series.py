"""DICOM series of CT and MR: one slice a file, or an enhanced multi-frame file with many."""

import sys
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fplbench.datasets.formats import dicom, fields, frames, multiframe
from fplbench.datasets.formats.hounsfield import AIR, TISSUE, to_hounsfield
from fplbench.datasets.formats.planes import refuse_other_images, refuse_other_units, slice_position
from fplbench.datasets.formats.rescaling import to_rescaled
from fplbench.datasets.persons import FOLDER, PATIENT, SERIES, STUDY
from fplbench.datasets.reading.arranging import checked_stack
from fplbench.datasets.registry import DatasetOptions, Header, Plane, Slice, Unreadable

if TYPE_CHECKING:
    from pydicom import Dataset as DicomDataset

TAGS = (
    "PatientID",
    "SeriesInstanceUID",
    "SOPInstanceUID",
    "ImageType",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "SliceLocation",
    "InstanceNumber",
    "PixelSpacing",
)
VARIANTS = ("EchoTime", "TemporalPositionIdentifier", "DiffusionBValue")  # of images at the same position
# These can differ from slice to slice too, and count where positions repeat.
REPEATS = ("InversionTime", "TriggerTime", "AcquisitionNumber", "AcquisitionTime")
MORE_TAGS = (
    "StudyInstanceUID",
    "SOPClassUID",
    "SeriesDescription",
    "RescaleType",
    "ComplexImageComponent",
    *VARIANTS,
    *REPEATS,
    *multiframe.GROUPS,
)
SERIES_FIELDS: dict[str, Callable[[str], Any]] = {
    "patient": sys.intern,  # hundreds of thousands of headers can have a thousand patients
    "identified_by": sys.intern,
    "series": sys.intern,
    "instance": str,
    "position": fields.finite,
    "order": int,
    "row_spacing": fields.length,
    "column_spacing": fields.length,
    "rows": lru_cache(int),
    "columns": lru_cache(int),  # equal numbers share one object
    "stack": checked_stack,
    "repeat": str,
    "frames": frames.checked,
    "note": sys.intern,
}


def read_series_header(path: Path, options: DatasetOptions, modalities: Sequence[str]) -> Header:
    """Read patient, series, positions and size of a slice, or of all slices of a multi-frame file.

    The patient is identified by PatientID, or if that is empty by the study, else the series, else the folder; `identified_by`
    says by which. Slices of CT must be axial; those of MR can have any orientation.

    Args:
        path: the file.
        options: options of the data set, with its root.
        modalities: codes of the modalities that are accepted.

    Returns:
        The SERIES_FIELDS. `frames` is empty for a single slice; else it has the slices, and `position` is that of the first.

    Raises:
        NotAnImage: the file has another modality, or is no slice as it was acquired, such as a localiser, a reformatted plane,
            a map or a dose report.
        Unreadable: the position, the size or the functional groups are missing or damaged.
    """
    header = dicom.read_tags(path, (*TAGS, *MORE_TAGS), modalities, several=True)
    refuse_other_images(header)
    record = _identify(header, path, options.root) | grid(header) | {"repeat": "", "note": ""}
    if multiframe.is_multiframe(header):
        stacks = multiframe.read_stacks(header)
        row, column = stacks[0].spacing
        record |= {"position": stacks[0].positions[0], "stack": "", "frames": frames.to_text(stacks)}
        return record | {"row_spacing": row, "column_spacing": column}
    axial = header.Modality == "CT"
    if axial:
        refuse_other_units(header.get("RescaleType"))
    else:
        record["repeat"] = _texts(header, REPEATS)
    record["position"], axes = slice_position(header, axial)
    directions = " ".join(f"{part:.4f}" for direction in axes for part in direction)
    return record | {"stack": f"{directions};{_texts(header, VARIANTS)}", "frames": ""}


def grid(header: "DicomDataset") -> Header:
    """Size and spacing of an image, and the number that orders it among images at its position."""
    row, column = fields.spacing(header.get("PixelSpacing"))
    return {
        "order": int(header.get("InstanceNumber") or 0),
        "row_spacing": row,
        "column_spacing": column,
        "rows": int(header.Rows),
        "columns": int(header.Columns),
    }


def _texts(header: "DicomDataset", tags: Sequence[str]) -> str:
    """The values of some elements as one text."""
    return ";".join(str(header.get(tag) or "").replace(";", ",") for tag in tags)


def _identify(header: "DicomDataset", path: Path, root: Path) -> Header:
    """The fields that say whose image this is. Unique identifiers that stand for a patient are shortened."""
    relative = path.relative_to(root) if path.is_relative_to(root) else path
    folder = relative.parent.as_posix()
    patient, study, series = (str(header.get(name) or "").strip() for name in (PATIENT, STUDY, SERIES))
    if patient:
        known = (PATIENT, patient)
    elif study:
        known = (STUDY, f"study-{dicom.digest(study)}")
    elif series:
        known = (SERIES, f"series-{dicom.digest(series)}")
    else:
        known = (FOLDER, folder if folder != "." else "folder")
    return {
        "patient": known[1],
        "identified_by": known[0],
        "series": series or f"{study} {folder}".strip(),
        "instance": dicom.digest(str(header.get("SOPInstanceUID") or relative.as_posix())),
    }


def read_series_images(path: Path, slices: Sequence[Slice]) -> Iterator[Plane]:
    """Read slices of a file, one at a time, float32 (H, W).

    CT is in HU, with AIR outside the field of view. MR is in the units that the file rescales to; where its padding is, it
    has the lowest value of the image, and MONOCHROME1 is inverted.

    Raises:
        Unreadable: the file is truncated, or has no decoder, or its rescale slope is missing or impossible.
    """
    header, images_of = dicom.open_frames(path)
    if not multiframe.is_multiframe(header):
        (stored,) = images_of([0])
        yield _plane(slices[0], header, stored)
        return
    order = [number for stack in multiframe.read_stacks(header) for number in stack.frames]
    if any(one.number >= len(order) for one in slices):
        raise Unreadable("it has fewer frames than when its header was read")
    numbers = {order[one.number]: one for one in sorted(slices, key=lambda one: order[one.number])}
    for (frame, one), stored in zip(numbers.items(), images_of(list(numbers)), strict=True):
        yield _plane(one, multiframe.frame_header(header, frame), stored)


def _plane(one: Slice, header: "DicomDataset", stored: np.ndarray) -> Plane:
    if header.get("Modality") == "CT":
        return Plane(one, to_hounsfield(header, stored), (AIR, TISSUE[1]))
    values, limits, inverted = to_rescaled(header, stored)
    return Plane(one, values, limits, inverted)

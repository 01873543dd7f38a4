"""What must be known of a DICOM file before its frames are read. Runs in reading processes."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fplbench.applying.dicom_coding import PixelCoding
from fplbench.applying.dicom_pixels import Header, check_complete, read_header
from fplbench.datasets import fields
from fplbench.datasets.dicom import is_dicom
from fplbench.datasets.display import check_size
from fplbench.datasets.hounsfield import TISSUE, is_hounsfield, padding_range
from fplbench.datasets.multiframe import GROUPS
from fplbench.datasets.registry import NotAnImage, Unreadable

if TYPE_CHECKING:
    from pydicom import Dataset as DicomDataset

Vector = tuple[float, ...]

TAGS = [
    "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "SeriesNumber", "InstanceNumber", "Modality",
    "ImageType", "ImagePositionPatient", "ImageOrientationPatient", "SliceLocation", "PixelSpacing", "ImagerPixelSpacing",
    "RescaleSlope", "RescaleIntercept", "RescaleType", "ModalityLUTSequence", "PixelPaddingValue", "PixelPaddingRangeLimit",
    "LossyImageCompression", *GROUPS,
]  # fmt: skip
NO_SCAN = {
    "1.2.840.10008.1.3.10": "a DICOMDIR, an index of other files",
    "1.2.840.10008.5.1.4.1.1.66.4": "a segmentation",
    "1.2.840.10008.5.1.4.1.1.66.7": "a segmentation",
    "1.2.840.10008.5.1.4.1.1.30": "a parametric map",
    "1.2.840.10008.5.1.4.1.1.481.2": "a dose distribution",
}

CAPTURES = tuple(f"1.2.840.10008.5.1.4.1.1.7{kind}" for kind in ("", ".1", ".2", ".3", ".4"))


@dataclass(frozen=True)
class Frame:
    """An image in a file.

    Attributes:
        index: its number in the file, counted from 0.
        coding: how its values are stored.
        place: position of the centre of its first pixel in the patient, mm; None where it is not known.
        axes: directions of its rows and columns, six numbers.
        location: position along the normal as the scanner gave it, mm.
        spacing: (row, column) spacing, mm.
    """

    index: int
    coding: PixelCoding
    place: Vector | None
    axes: Vector | None
    location: float | None
    spacing: tuple[float, float] | None


@dataclass(frozen=True)
class ImageFile:
    """A file with grey images. `path` is relative to the input; `lossy` says whether its pixels were compressed with loss."""

    path: str
    instance: str
    series: str
    series_number: int | None
    order: int
    modality: str | None
    rows: int
    columns: int
    lossy: bool
    padding_ignored: bool
    frames: tuple[Frame, ...]


def read_image_file(task: tuple[Path, str]) -> ImageFile | NotAnImage:
    """Read what `ImageFile` says of the file at a path relative to a root; NotAnImage if it is no grey image.

    Raises:
        Unreadable: the file is damaged, or an element that is needed is missing.
    """
    root, path = task
    try:
        if not is_dicom(root / path):
            if path.lower().endswith(".dcm"):
                raise Unreadable("it is named .dcm but is not a DICOM file")
            raise NotAnImage("not a DICOM file")
        header = read_header(root / path, TAGS)
        _check_kind(header)
        check_complete(root / path, header)
        return _describe(header.elements, path)
    except NotAnImage as reason:
        return reason


def _describe(header: "DicomDataset", path: str) -> ImageFile:
    missing = [tag for tag in ("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID") if not header.get(tag)]
    if missing:
        raise Unreadable(f"it has no {missing[0]}")
    check_size(int(header.Rows), int(header.Columns))
    coding = _coding(header)
    frames = _frames(header, coding)
    if len(frames) * int(header.Rows) * int(header.Columns) * 2 >= 2**32:
        raise Unreadable("its images need more than 4 GiB, which is the most that one DICOM file can hold uncompressed")
    return ImageFile(
        path=path,
        instance=str(header.SOPInstanceUID),
        series=str(header.SeriesInstanceUID),
        series_number=_integer(header.get("SeriesNumber")),
        order=_integer(header.get("InstanceNumber")) or 0,
        modality=_modality(header),
        rows=int(header.Rows),
        columns=int(header.Columns),
        lossy=header.get("LossyImageCompression") == "01",
        padding_ignored=coding.padding is not None and any(frame.coding.padding is None for frame in frames),
        frames=frames,
    )


def _check_kind(pixels: Header) -> None:
    """NotAnImage unless the file has grey images of a scan."""
    header = pixels.elements
    kind = NO_SCAN.get(str(header.file_meta.get("MediaStorageSOPClassUID"))) or NO_SCAN.get(str(header.get("SOPClassUID")))
    if kind:
        raise NotAnImage(kind)
    if pixels.floating:
        raise NotAnImage("floating-point pixels")
    if not pixels.length or header.get("Rows") is None:
        _refuse_without_image(header)
    grey = header.get("PhotometricInterpretation") in ("MONOCHROME1", "MONOCHROME2")
    if int(header.get("SamplesPerPixel") or 1) != 1 or not grey:
        raise NotAnImage("a colour image")
    if header.get("BitsAllocated") == 1:
        raise NotAnImage("an image of one bit per pixel")
    if "LOCALIZER" in (header.get("ImageType") or ()):
        raise NotAnImage("a localiser image")
    if header.get("SOPClassUID") in CAPTURES and header.get("Modality") == "CT" and header.get("RescaleSlope") is None:
        raise NotAnImage("a secondary capture of a CT, without HU")


def _refuse_without_image(header: "DicomDataset") -> None:
    from pydicom.uid import UID

    kind = str(header.get("SOPClassUID") or header.file_meta.get("MediaStorageSOPClassUID") or "")
    if "Image Storage" in UID(kind).name and kind not in CAPTURES:
        raise Unreadable("it is truncated: it ends before its pixels")
    if not kind:
        raise Unreadable("its header is damaged")
    modality = _modality(header)
    raise NotAnImage(f"{modality} without an image" if modality else "no image")


def _coding(header: "DicomDataset") -> PixelCoding:
    """How all frames store their values, apart from what a frame says itself."""
    allocated = header.get("BitsAllocated")
    if allocated not in (8, 16):
        raise Unreadable(f"it has {allocated} bits per pixel" if isinstance(allocated, int) else "its bits per pixel are invalid")
    bits = int(header.get("BitsStored") or allocated)
    if not 2 <= bits <= allocated:
        raise Unreadable(f"it claims to store {bits} of {allocated} bits per pixel")
    modality = header.get("Modality")
    return PixelCoding(
        allocated=allocated,
        bits=bits,
        signed=header.get("PixelRepresentation") == 1,
        padding=padding_range(header),
        # The values of a CT are HU whichever way they are shown.
        inverted=header.get("PhotometricInterpretation") == "MONOCHROME1" and modality != "CT",
        hounsfield=modality == "CT" and is_hounsfield(header.get("RescaleType")),
    )


def _pads_with_tissue(coding: PixelCoding) -> bool:
    """Whether the padding value of a CT is one of tissue: some headers name the value that the pixels use for water."""
    if coding.padding is None:
        return False
    ends = sorted(end * coding.slope + coding.intercept for end in coding.padding)
    return ends[1] >= TISSUE[0] and ends[0] <= TISSUE[1]


def _frames(header: "DicomDataset", coding: PixelCoding) -> tuple[Frame, ...]:
    count = int(header.get("NumberOfFrames") or 1)
    shared = next(iter(header.get(GROUPS[0]) or ()), None)
    each = header.get(GROUPS[1]) or ()
    if each and len(each) != count:
        raise Unreadable(f"it has {count} frames and describes {len(each)}")
    return tuple(_frame(header, coding, index, (each[index] if each else None, shared)) for index in range(count))


def _frame(header: "DicomDataset", coding: PixelCoding, index: int, groups: tuple[Any, Any]) -> Frame:
    def group(sequence: str) -> "DicomDataset":
        """The item that describes the frame: its own, that of all frames, or the header itself."""
        return next((item[sequence][0] for item in groups if item is not None and item.get(sequence)), header)

    measures = group("PixelMeasuresSequence")
    row, column = fields.spacing(measures.get("PixelSpacing") or header.get("ImagerPixelSpacing"))
    rescaling = group("PixelValueTransformationSequence")
    slope, intercept = _rescaling(rescaling, coding.hounsfield, bool(header.get("ModalityLUTSequence")))
    hounsfield = coding.hounsfield and is_hounsfield(rescaling.get("RescaleType"))
    coding = replace(coding, slope=slope, intercept=intercept, hounsfield=hounsfield)
    return Frame(
        index=index,
        coding=replace(coding, padding=None) if hounsfield and _pads_with_tissue(coding) else coding,
        place=_vector(group("PlanePositionSequence").get("ImagePositionPatient"), 3),
        axes=_vector(group("PlaneOrientationSequence").get("ImageOrientationPatient"), 6),
        location=next(iter(_vector([header.get("SliceLocation")], 1) or ()), None),
        spacing=fields.pair(row, column),
    )


def _rescaling(item: "DicomDataset", needed: bool, table: bool) -> tuple[float, float]:
    """Slope and intercept. A file with a look-up table instead keeps its stored values."""
    if table or (not needed and item.get("RescaleSlope") is None and item.get("RescaleIntercept") is None):
        return 1.0, 0.0
    try:
        slope, intercept = fields.finite(item.get("RescaleSlope")), fields.finite(item.get("RescaleIntercept"))
    except (TypeError, ValueError):
        raise Unreadable("its rescale slope or intercept is missing or not a number") from None
    if slope == 0:
        raise Unreadable("its rescale slope is zero")
    return slope, intercept


def _vector(values: Any, size: int) -> Vector | None:
    try:
        numbers = tuple(fields.finite(value) for value in values)
    except (TypeError, ValueError):
        return None
    return numbers if len(numbers) == size else None


def _modality(header: "DicomDataset") -> str | None:
    """The code of the modality; a damaged value could be any text of the header."""
    value = str(header.get("Modality") or "").strip()
    return value if re.fullmatch(r"[A-Z0-9]{2,12}", value) else None


def _integer(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError):
        return None

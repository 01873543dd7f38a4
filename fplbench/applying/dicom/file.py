"""What must be known of a DICOM file before its frames are read. Runs in reading processes."""

from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from fplbench.applying.dicom.coding import PixelCoding
from fplbench.applying.dicom.kind import TAGS as KIND
from fplbench.applying.dicom.kind import check_frame, check_kind, is_reformatted, modality_code
from fplbench.applying.dicom.pixels import check_complete, read_header
from fplbench.datasets.formats import fields
from fplbench.datasets.formats.dicom import frame_count
from fplbench.datasets.formats.dicom_opening import begins_as_dicom
from fplbench.datasets.formats.hounsfield import TISSUE, padding_range
from fplbench.datasets.formats.multiframe import GROUPS, Groups
from fplbench.datasets.formats.planes import project
from fplbench.datasets.registry import NotAnImage, Unreadable
from fplbench.datasets.sampling.display import check_size

if TYPE_CHECKING:
    from pydicom import Dataset as DicomDataset

Vector = tuple[float, ...]

TAGS = [
    *KIND, "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "SeriesNumber", "InstanceNumber",
    "ImageOrientationPatient", "SliceLocation", "PixelSpacing", "ImagerPixelSpacing", "RescaleSlope", "RescaleIntercept",
    "RescaleType", "ModalityLUTSequence", "PixelPaddingValue", "PixelPaddingRangeLimit", "LossyImageCompression", *GROUPS,
]  # fmt: skip
LARGEST_NUMBER = 2**31 - 1  # of an IS, an integer of DICOM


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
    """A file with grey images.

    Attributes:
        path: relative to the input.
        instance, series, study: their UIDs; "" for a series or study without one.
        series_number, order: numbers of the series, and of the image in it.
        modality: its code; None where it is not known.
        rows, columns: size.
        lossy: whether the pixels were compressed with loss.
        padding_ignored: whether the padding value of a CT is one of tissue.
        reformatted: whether the images are planes that were computed from a volume.
        frames: the images.
        shared: whether an image that differs has the same UID.
    """

    path: str
    instance: str
    series: str
    study: str
    series_number: int | None
    order: int
    modality: str | None
    rows: int
    columns: int
    lossy: bool
    padding_ignored: bool
    reformatted: bool
    frames: tuple[Frame, ...]
    shared: bool = False

    @property
    def group(self) -> str:
        """What the files of a series have in common: its UID, or without one the folder, the study and the number."""
        return self.series or f"{PurePosixPath(self.path).parent} {self.study} {self.series_number}"


def read_image_file(task: tuple[Path, str]) -> ImageFile | NotAnImage:
    """Read what `ImageFile` says of the file at a path relative to a root; NotAnImage if it is no grey image.

    Raises:
        Unreadable: the file is damaged, or an element that is needed is missing.
    """
    root, path = task
    try:
        if not begins_as_dicom(root / path):
            if path.lower().endswith(".dcm"):
                raise Unreadable("it is named .dcm but is not a DICOM file")
            raise NotAnImage("not a DICOM file")
        header = read_header(root / path, TAGS)
        if header.bare and not header.elements.get("SOPClassUID"):  # so it began like a DICOM file by chance
            raise NotAnImage("not a DICOM file")
        check_kind(header)
        check_complete(root / path, header)
        return _describe(header.elements, path)
    except NotAnImage as reason:
        return reason


def _describe(header: "DicomDataset", path: str) -> ImageFile:
    missing = [tag for tag in ("SOPClassUID", "SOPInstanceUID") if not header.get(tag)]
    if missing:
        raise Unreadable(f"it has no {missing[0]}")
    check_size(int(header.Rows), int(header.Columns))
    if frame_count(header) * int(header.Rows) * int(header.Columns) * 2 >= 2**32:
        raise Unreadable("its images need more than 4 GiB, which is the most that one DICOM file can hold uncompressed")
    coding = _coding(header)
    frames = _frames(header, coding)
    return ImageFile(
        path=path,
        instance=str(header.SOPInstanceUID),
        series=str(header.get("SeriesInstanceUID") or ""),
        study=str(header.get("StudyInstanceUID") or ""),
        series_number=integer(header.get("SeriesNumber")),
        order=integer(header.get("InstanceNumber")) or 0,
        modality=modality_code(header),
        rows=int(header.Rows),
        columns=int(header.Columns),
        lossy=header.get("LossyImageCompression") == "01",
        padding_ignored=coding.padding is not None and any(frame.coding.padding is None for frame in frames),
        reformatted=is_reformatted(header.get("ImageType")),
        frames=frames,
    )


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
        hounsfield=modality == "CT",
    )


def _pads_with_tissue(coding: PixelCoding) -> bool:
    """Whether the padding value of a CT is one of tissue: some headers name the value that the pixels use for water."""
    if coding.padding is None:
        return False
    ends = sorted(end * coding.slope + coding.intercept for end in coding.padding)
    return ends[1] >= TISSUE[0] and ends[0] <= TISSUE[1]


def _frames(header: "DicomDataset", coding: PixelCoding) -> tuple[Frame, ...]:
    from pydicom import Dataset

    count = frame_count(header)
    shared = next(iter(header.get(GROUPS[0]) or ()), None)
    each = header.get(GROUPS[1]) or [Dataset()] * count
    if len(each) != count:
        raise Unreadable(f"it has {count} frames and describes {len(each)}")
    return tuple(_frame(header, coding, index, Groups(own, shared)) for index, own in enumerate(each))


def _frame(header: "DicomDataset", coding: PixelCoding, index: int, groups: Groups) -> Frame:
    check_frame(groups, header.get("Modality"))

    def find(macro: str, keyword: str) -> Any:
        """What the functional groups say of the frame, or else the header."""
        value = groups.find(macro, keyword)
        return header.get(keyword) if value is None else value

    row, column = fields.spacing(find("PixelMeasuresSequence", "PixelSpacing") or header.get("ImagerPixelSpacing"))
    slope, intercept = (find("PixelValueTransformationSequence", keyword) for keyword in ("RescaleSlope", "RescaleIntercept"))
    slope, intercept = _rescaling(slope, intercept, coding.hounsfield, bool(header.get("ModalityLUTSequence")))
    coding = replace(coding, slope=slope, intercept=intercept)
    return Frame(
        index=index,
        coding=replace(coding, padding=None) if coding.hounsfield and _pads_with_tissue(coding) else coding,
        place=_vector(find("PlanePositionSequence", "ImagePositionPatient"), 3),
        axes=_axes(find("PlaneOrientationSequence", "ImageOrientationPatient")),
        location=next(iter(_vector([header.get("SliceLocation")], 1) or ()), None),
        spacing=fields.pair(row, column),
    )


def _rescaling(slope: Any, intercept: Any, needed: bool, table: bool) -> tuple[float, float]:
    """Slope and intercept: 1 and 0 where they are missing but not needed. A file with a look-up table keeps its stored values."""
    if table:
        return 1.0, 0.0
    if not needed:
        slope, intercept = (default if value in (None, "") else value for value, default in ((slope, 1.0), (intercept, 0.0)))
    try:
        factor, offset = fields.finite(slope), fields.finite(intercept)
    except (TypeError, ValueError):
        raise Unreadable("its rescale slope or intercept is missing or not a number") from None
    if factor == 0:
        raise Unreadable("its rescale slope is zero")
    return factor, offset


def _vector(values: Any, size: int) -> Vector | None:
    try:
        numbers = tuple(fields.finite(value) for value in values)
    except (TypeError, ValueError):
        return None
    return numbers if len(numbers) == size else None


def _axes(values: Any) -> Vector | None:
    """The directions of rows and columns; None unless they span a plane."""
    axes = _vector(values, 6)
    try:
        project((0, 0, 0), axes, axial=False)
    except Unreadable:
        return None
    return axes


def integer(value: Any) -> int | None:
    """An integer as DICOM can hold it; None for anything else, as damaged elements are text."""
    try:
        number = int(value)
    except (TypeError, ValueError):
        return None
    return number if abs(number) <= LARGEST_NUMBER else None

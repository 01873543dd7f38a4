"""One file of a parametric map, made by highdicom. Runs in guarded processes, as it reads the headers of the scan."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fplbench import __version__
from fplbench.applying.dicom.derivation import series_description
from fplbench.applying.dicom.elements import readable
from fplbench.applying.dicom.header import derived_uid, series_number
from fplbench.applying.scan import Stamp
from fplbench.datasets.formats.dicom_opening import open_file
from fplbench.files import replacing

if TYPE_CHECKING:
    from pydicom import Dataset as DicomDataset

LABEL = "FEATURES"
MEANING = "Guided back-propagation of the restoration network"
UNKNOWN = 1.2345e-6  # stands for a thickness of slices that the source does not tell, mm
# Type 2 elements, which highdicom copies from the source: present, if empty.
REQUIRED = (
    "PatientID", "PatientName", "PatientBirthDate", "PatientSex", "AccessionNumber", "StudyID", "StudyDate", "StudyTime",
    "ReferringPhysicianName",
)  # fmt: skip


class SourceFrame(NamedTuple):
    """The image that a frame of the map was made from.

    Attributes:
        path: its file.
        frame: number of its frame in the file, counted from 0.
        several: whether the file has several frames.
        place: position of the centre of its first pixel in the patient, mm.
        axes: directions of its rows and columns, six numbers.
        spacing: (row, column) spacing, mm.
    """

    path: Path
    frame: int
    several: bool
    place: tuple[float, ...]
    axes: tuple[float, ...]
    spacing: tuple[float, float]


class MapFile(NamedTuple):
    """What a file of the map holds.

    Attributes:
        target: the file to write.
        number: of the instance, counted from 1.
        sources: the image of each frame.
        maps: files of the maps, .npy, float32 (H, W), in the same order.
        stamp: what made them.
        bound: the values that are shown as black and white, minus and plus.
        series: UID that stands for that of the series where it has none.
        part: what tells the file from others that are made from images with the same UIDs; "" where there are none.
    """

    target: Path
    number: int
    sources: tuple[SourceFrame, ...]
    maps: tuple[Path, ...]
    stamp: Stamp
    bound: float
    series: str = ""
    part: str = ""


def write_map_file(file: MapFile) -> None:
    """Make a file of the map; the same input and model make the same file."""
    import warnings

    from pydicom import config

    config.settings.reading_validation_mode = config.IGNORE
    warnings.simplefilter("ignore")
    sources = _sources(file.sources, file.series)
    image = _parametric_map(file, sources)
    _name_part(image, sources[0])
    _refer_to_frames(image, file.sources)
    _remove_unknown(image)
    _make_repeatable(image, file)
    with replacing(file.target) as path:
        image.save_as(path)


def _parametric_map(file: MapFile, sources: list["DicomDataset"]) -> "DicomDataset":
    import highdicom
    from highdicom.pm import ParametricMap, RealWorldValueMapping
    from pydicom.sr.codedict import codes

    pixels = np.stack([np.load(path) for path in file.maps])
    first, digest = sources[0], file.stamp.digest
    values = (float(pixels.min()), float(pixels.max()))
    mapping = RealWorldValueMapping(LABEL, MEANING, codes.UCUM.NoUnits, values, slope=1.0, intercept=0.0)
    origin = " ".join(f"{source.SOPInstanceUID}" for source in sources)
    frames = " ".join(str(source.frame) for source in file.sources)
    date, time = _content_time(first)
    return ParametricMap(
        source_images=sources,
        pixel_array=pixels,
        series_instance_uid=derived_uid("features", digest, str(first.SeriesInstanceUID)),
        series_number=series_number(first, "features"),
        sop_instance_uid=derived_uid("features", digest, f"{origin} {frames} {file.part}".strip()),
        instance_number=file.number,
        manufacturer="fplbench",
        manufacturer_model_name="fplbench apply",
        software_versions=__version__,
        device_serial_number=digest[:16],
        contains_recognizable_visual_features=False,
        real_world_value_mappings=[mapping],
        voi_lut_transformations=[highdicom.VOILUTTransformation(window_center=0.0, window_width=2 * file.bound)],
        content_label=LABEL,
        content_description=MEANING,
        series_description=series_description("", "features", file.stamp.model),
        content_date=date,
        content_time=time,
    )


def _sources(frames: tuple[SourceFrame, ...], series: str) -> list["DicomDataset"]:
    """The headers of the images, as highdicom needs them: one for each file."""
    if frames[0].several:
        return [_frames_of(_header(frames[0].path, series), frames)]
    headers = [_header(frame.path, series) for frame in frames]
    for header in headers:
        if not header.get("SliceThickness"):  # highdicom needs one; it is removed again
            header.SliceThickness = UNKNOWN
        header.FrameOfReferenceUID = headers[0].FrameOfReferenceUID  # of files without one, that of the first
    return headers


def _header(path: Path, series: str) -> "DicomDataset":
    """The header of a file, with all that highdicom copies."""
    from pydicom.uid import UID

    header = readable(open_file(path, stop_before_pixels=True))
    for keyword in REQUIRED:
        if keyword not in header:
            setattr(header, keyword, "")
    if not header.get("SeriesInstanceUID"):
        header.SeriesInstanceUID = UID(series)
    header.PatientSex = header.PatientSex if header.PatientSex in ("M", "F", "O") else ""
    header.PatientBirthDate, header.StudyDate = _date(header.PatientBirthDate), _date(header.StudyDate)
    header.StudyTime = _time(header.StudyTime)
    if not header.get("StudyInstanceUID"):
        header.StudyInstanceUID = UID(derived_uid("study", "", str(header.SeriesInstanceUID)))
    if not header.get("FrameOfReferenceUID"):
        header.FrameOfReferenceUID = UID(derived_uid("frame of reference", "", str(header.SeriesInstanceUID)))
    return header


def _frames_of(header: "DicomDataset", frames: tuple[SourceFrame, ...]) -> "DicomDataset":
    """The header of a multi-frame file as if it had these frames only, with what they share among what is shared."""
    from pydicom import Dataset

    shared = header.SharedFunctionalGroupsSequence[0]
    groups = header.PerFrameFunctionalGroupsSequence
    chosen = [groups[frame.frame] for frame in frames]
    for keyword in ("PlaneOrientationSequence", "PixelMeasuresSequence"):
        if keyword not in shared and keyword in chosen[0]:
            shared[keyword] = chosen[0][keyword]
    for frame, group in zip(frames, chosen, strict=True):
        if "PlanePositionSequence" not in group:
            item = Dataset()
            item.ImagePositionPatient = list(frame.place)
            group.PlanePositionSequence = [item]
    header.PerFrameFunctionalGroupsSequence = chosen
    header.NumberOfFrames = len(chosen)
    return header


def _name_part(image: "DicomDataset", source: "DicomDataset") -> None:
    """Name the part of the body that is shown. Where the source does not, the side of it has to be there, if empty."""
    side = source.get("Laterality")
    if source.get("BodyPartExamined"):
        image.BodyPartExamined = source.BodyPartExamined
    if side in ("L", "R") or "BodyPartExamined" not in image:
        image.Laterality = side if side in ("L", "R") else ""


def _refer_to_frames(image: "DicomDataset", frames: tuple[SourceFrame, ...]) -> None:
    """Give the references to frames of a multi-frame file the numbers that these have there."""
    if not frames[0].several:
        return
    for group in image.PerFrameFunctionalGroupsSequence:
        for derivation in group.get("DerivationImageSequence", ()):
            for source in derivation.SourceImageSequence:
                source.ReferencedFrameNumber = frames[int(source.ReferencedFrameNumber) - 1].frame + 1


def _remove_unknown(image: "DicomDataset") -> None:
    """Remove the thickness of slices if the source does not tell it."""
    measures = image.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    if measures.get("SliceThickness") == UNKNOWN:
        del measures.SliceThickness


def _make_repeatable(image: "DicomDataset", file: MapFile) -> None:
    """Replace what differs whenever the file is made: times, and a random UID."""
    for keyword in ("InstanceCreationDate", "InstanceCreationTime"):
        image.pop(keyword, None)
    for item in image.ContributingEquipmentSequence:
        item.pop("ContributionDateTime", None)
    organization = derived_uid("dimensions", file.stamp.digest, str(image.SOPInstanceUID))
    for item in (*image.DimensionOrganizationSequence, *image.DimensionIndexSequence):
        item.DimensionOrganizationUID = organization


def _content_time(header: "DicomDataset") -> tuple[Any, Any]:
    """Date and time of the content: those of the original, as the map must be the same whenever it is made."""
    from pydicom.valuerep import DA, TM

    dates = [_date(header.get(f"{what}Date")) for what in ("Content", "Acquisition", "Series", "Study")]
    times = [_time(header.get(f"{what}Time")) for what in ("Content", "Acquisition", "Series", "Study")]
    return DA(next(filter(None, dates), "19000101")), TM(next(filter(None, times), "000000"))


def _date(value: Any) -> str:
    """A date, "" if it is none."""
    from pydicom.valuerep import DA

    try:
        return str(DA(str(value or "")) or "")
    except ValueError:
        return ""


def _time(value: Any) -> str:
    """A time of day, "" if it is none."""
    from pydicom.valuerep import TM

    try:
        return str(TM(str(value or "")) or "")
    except ValueError:
        return ""

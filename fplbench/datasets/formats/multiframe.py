"""Enhanced multi-frame DICOM: what its functional groups say of each frame."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fplbench.datasets.formats import fields
from fplbench.datasets.formats.dicom import frame_count
from fplbench.datasets.formats.frames import MAX_FRAMES, Stack
from fplbench.datasets.formats.planes import Axes, direction, project, refuse_image_type, refuse_other_units
from fplbench.datasets.registry import NotAnImage, Unreadable

if TYPE_CHECKING:
    from pydicom import Dataset as DicomDataset

GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")  # of all frames, and of each
FRAME_TYPES = ("CTImageFrameTypeSequence", "MRImageFrameTypeSequence")
# What distinguishes images at the same position: macro and element.
VARIANTS = (
    ("FrameContentSequence", "StackID"),
    ("FrameContentSequence", "TemporalPositionIndex"),
    ("MREchoSequence", "EffectiveEchoTime"),
    ("MRDiffusionSequence", "DiffusionBValue"),
)
FOR_PIXELS = (
    "Modality",
    "BitsAllocated",
    "BitsStored",
    "PixelRepresentation",
    "PhotometricInterpretation",
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
    "RescaleSlope",
    "RescaleIntercept",
)


class Groups:
    """The functional groups of a frame, its own before those that all frames share."""

    def __init__(self, own: "DicomDataset", shared: "DicomDataset | None") -> None:
        self.places = [place for place in (own, shared) if place is not None]

    def find(self, macro: str, keyword: str) -> Any:
        """The value of an element of a macro; None if the frame has none."""
        for place in self.places:
            items = place.get(macro)
            if items and (value := items[0].get(keyword)) is not None:
                return value
        return None


def is_multiframe(header: "DicomDataset") -> bool:
    """Whether the position of the image, or of each of the images, is in functional groups."""
    return frame_count(header) > 1 or GROUPS[1] in header


def read_stacks(header: "DicomDataset") -> list[Stack]:
    """The stacks of parallel slices in a file, in the order of their first frames.

    Frames that differ in orientation, spacing, stack identifier, time, echo time or b-value are in different stacks. Of frames at
    the same position in a stack the first is taken. Frames that are localisers, reformatted, maps or phases are left out, as
    are those of CT that are not axial.

    Args:
        header: the header, with its functional groups.

    Raises:
        NotAnImage: the frames have no positions, or all are left out: the reason is that of the first.
        Unreadable: the functional groups do not describe each frame, or a position is impossible.
    """
    stacks: dict[tuple[Any, ...], dict[float, int]] = defaultdict(dict)
    known: list[Axes] = []
    reason = None
    for number, groups in enumerate(_frames(header)):
        try:
            key, position = _place(groups, header, known)
        except NotAnImage as error:
            reason = reason or error
            continue
        stacks[key].setdefault(position, number)
    if not stacks:
        raise reason or NotAnImage("several frames in one file, whose positions are not given")
    found = []
    for key, members in stacks.items():
        positions = sorted(members)
        found.append(Stack(key[0], [members[position] for position in positions], positions))
    return found


def frame_header(header: "DicomDataset", frame: int) -> "DicomDataset":
    """The elements that the values of one frame depend on, as a single image has them."""
    from pydicom import Dataset

    result = Dataset()
    for keyword in FOR_PIXELS:
        if keyword in header:
            result[keyword] = header[keyword]
    groups = _groups(header, frame)
    for keyword in ("RescaleSlope", "RescaleIntercept"):
        value = groups.find("PixelValueTransformationSequence", keyword)
        if value is not None:
            setattr(result, keyword, value)
    return result


def _frames(header: "DicomDataset") -> Iterator[Groups]:
    """The functional groups of each frame."""
    frames, count = header.get(GROUPS[1]) or [], frame_count(header)
    if not frames:
        raise NotAnImage("several frames in one file, whose positions are not given")
    if count > MAX_FRAMES:
        raise Unreadable(f"it claims to have {count} frames; the limit is {MAX_FRAMES}")
    if len(frames) != count:
        raise Unreadable(f"its functional groups describe {len(frames)} of {count} frames")
    return (_groups(header, number) for number in range(count))


def _groups(header: "DicomDataset", frame: int) -> Groups:
    shared: Sequence[Any] = header.get(GROUPS[0]) or [None]
    return Groups(header[GROUPS[1]].value[frame], shared[0])


def _place(groups: Groups, header: "DicomDataset", known: list[Axes]) -> tuple[tuple[Any, ...], float]:
    """What identifies the stack of a frame, and the position of the frame in mm; `known` has the axes of the stacks so far."""
    modality = header.get("Modality")
    for macro in FRAME_TYPES:
        refuse_image_type(groups.find(macro, "FrameType"), groups.find(macro, "ComplexImageComponent"), modality)
    if modality == "CT":
        refuse_other_units(groups.find("PixelValueTransformationSequence", "RescaleType"))
    place = groups.find("PlanePositionSequence", "ImagePositionPatient")
    if place is None or len(place) != 3:
        raise NotAnImage("several frames in one file, whose positions are not given")
    orientation = groups.find("PlaneOrientationSequence", "ImageOrientationPatient")
    position, axes = project(place, orientation, axial=modality == "CT")
    if not np.isfinite(position):
        raise Unreadable("its position is not a number")
    spacing = fields.spacing(groups.find("PixelMeasuresSequence", "PixelSpacing"))
    variant = [str(groups.find(macro, keyword)) for macro, keyword in VARIANTS]
    return (spacing, direction(axes, known), *variant), round(position, 3)

"""Where slices lie, and which images are no slices of a scan, judging by their headers."""

import math
import operator
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fplbench.datasets.formats.hounsfield import is_hounsfield
from fplbench.datasets.registry import NotAnImage, Unreadable

if TYPE_CHECKING:
    from pydicom import Dataset as DicomDataset

Vector = tuple[float, float, float]
Axes = tuple[Vector, Vector]
"""How the slices of a stack lie in the patient: the directions of a row and of a column."""
AXIAL: Axes = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
PARALLEL = 0.999  # cosine of the angle between directions of one stack

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
PARAMETRIC_MAP = "1.2.840.10008.5.1.4.1.1.30"
LOCALISER = re.compile(r"(?:^|[^a-z])(?:locali[sz]ers?|scout|survey|topogram|surview|scanogram)(?:[^a-z]|$)", re.IGNORECASE)
# Words in the image types of manufacturers.
SCREEN = {"SCREEN", "SCREENSHOT"}
REFORMATTED = {"MPR", "CPR", "MIP", "MINIP", "PROJECTION", "REFORMATTED", "RESAMPLED", "RENDER", "RENDERED", "VRT", "SSD"}
# Whole values in the image types of MR: the words within them have other meanings, as in IN_PHASE, PHASE_ENCODE and FA_5.
COMPLEX = {"P", "R", "I", "PHASE", "REAL", "IMAGINARY"}
MAP = re.compile(r"(?:.*[ _])?(?:MAP|E?ADC)|FA")


def slice_position(header: "DicomDataset", axial: bool = True) -> tuple[float, Axes]:
    """Position of a slice along the normal of its plane, mm, and how the plane lies in the patient.

    The position is the image position projected onto the normal, which also holds for tilted gantries and for series numbered
    in either direction. It increases towards the head, or in sagittal and coronal planes towards the left or the back. Without
    an image position it is the slice location, and without that the instance number.

    Args:
        header: the header of the slice.
        axial: whether only axial planes are accepted.

    Raises:
        NotAnImage: the plane is closer to sagittal or coronal than to axial, and only axial ones are accepted.
        Unreadable: there is nothing to order the slices by.
    """
    place = header.get("ImagePositionPatient")
    if place is not None and len(place) == 3:
        position, axes = project(place, header.get("ImageOrientationPatient"), axial)
    else:
        location = header.get("SliceLocation")
        location = location if location is not None else header.get("InstanceNumber")
        if location is None:
            raise Unreadable("it has no position, slice location or instance number")
        position, axes = float(location), AXIAL
    if not math.isfinite(position):
        raise Unreadable("its position is not a number")
    return round(position, 3), axes


def project(place: Sequence[float], orientation: Sequence[float] | None, axial: bool) -> tuple[float, Axes]:
    """An image position projected onto the normal of the image plane, and the axes of the plane; see `slice_position`.

    Args:
        place: position of the first pixel.
        orientation: direction of a row and of a column; axial unless it has six numbers.
        axial: whether only axial planes are accepted.
    """
    if orientation is not None and len(orientation) == 6:
        a, b, c, d, e, f = (float(part) for part in orientation)
    else:
        (a, b, c), (d, e, f) = AXIAL
    normal = (b * f - c * e, c * d - a * f, a * e - b * d)
    length = math.hypot(*normal)
    if not math.isfinite(length) or length < 0.5:
        raise Unreadable("its image orientation is not a pair of directions")
    if axial and abs(normal[2]) <= max(abs(normal[0]), abs(normal[1])):
        raise NotAnImage("not an axial plane")
    sign = math.copysign(1, max(normal, key=abs))
    position = sum(float(part) * along for part, along in zip(place, normal, strict=True)) / length * sign
    return position, (_unit((a, b, c)), _unit((d, e, f)))


def direction(axes: Axes, known: list[Axes]) -> int:
    """Number of the first of the known axes that lie as these do, which are added if there is none."""
    for number, other in enumerate(known):
        if all(sum(map(operator.mul, one, two)) > PARALLEL for one, two in zip(axes, other, strict=True)):
            return number
    known.append(axes)
    return len(known) - 1


def refuse_other_images(header: "DicomDataset") -> None:
    """Raise NotAnImage for what has the modality of a scan but is no slice of one: the message is the reason."""
    storage = str(header.get("SOPClassUID") or "")
    if LOCALISER.search(str(header.get("SeriesDescription") or "")):
        raise NotAnImage("a localiser image")
    if storage.startswith(PARAMETRIC_MAP):
        raise NotAnImage("a map that was computed from images")
    words = _words(header.get("ImageType"))
    if SCREEN & words or (storage.startswith(SECONDARY_CAPTURE) and header.get("ImagePositionPatient") is None):
        raise NotAnImage("a screenshot, such as a dose report")
    refuse_image_type(header.get("ImageType"), header.get("ComplexImageComponent"), header.get("Modality"))


def refuse_image_type(image_type: Any, component: Any, modality: Any) -> None:
    """Raise NotAnImage for an image type that is not that of a slice as it was acquired: the message is the reason.

    Args:
        image_type: ImageType of a file, or FrameType of a frame.
        component: ComplexImageComponent, if there is one.
        modality: Modality; the values of MR can be magnitudes or phases.
    """
    words, values = _words(image_type), _values(image_type)
    if "LOCALIZER" in words:
        raise NotAnImage("a localiser image")
    if "MOSAIC" in words:
        raise NotAnImage("a mosaic of several slices")
    # IP is a projection in CT, and an in-phase image of the Dixon method in MR.
    if REFORMATTED & words or (modality != "MR" and "IP" in words):
        raise NotAnImage("a reformatted or projected image")
    if modality != "MR":
        return
    if any(map(MAP.fullmatch, values)):
        raise NotAnImage("a map that was computed from images")
    if COMPLEX & (values | _values(component)):
        raise NotAnImage("a phase image, or the real or imaginary part of an image")


def refuse_other_units(rescale_type: Any) -> None:
    """Raise NotAnImage for CT whose values are not HU, such as the effective atomic numbers of spectral CT."""
    if not is_hounsfield(rescale_type):
        raise NotAnImage("values that are not HU")


def _unit(vector: Vector) -> Vector:
    x, y, z = vector
    length = math.hypot(x, y, z)
    return x / length, y / length, z / length


def _words(values: Any) -> set[str]:
    """The words within the values of a multi-valued code string."""
    return {word for value in _values(values) for word in re.split(r"[\s_]+", value)}


def _values(values: Any) -> set[str]:
    """The values of a multi-valued code string."""
    items = [values] if isinstance(values, str) else values or []
    return {str(item).strip().upper() for item in items}

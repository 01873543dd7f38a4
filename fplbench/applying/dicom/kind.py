"""Which DICOM files hold the grey images of a scan. Runs in reading processes."""

import re
from typing import TYPE_CHECKING, Any

from fplbench.applying.dicom.pixels import Header
from fplbench.datasets.formats.multiframe import FRAME_TYPES, Groups
from fplbench.datasets.formats.planes import refuse_image_type, refuse_other_images, refuse_other_units
from fplbench.datasets.registry import NotAnImage, Unreadable

if TYPE_CHECKING:
    from pydicom import Dataset as DicomDataset

TAGS = ("SOPClassUID", "Modality", "ImageType", "SeriesDescription", "ComplexImageComponent", "ImagePositionPatient")
NO_SCAN = {
    "1.2.840.10008.1.3.10": "a DICOMDIR, an index of other files",
    "1.2.840.10008.5.1.4.1.1.66.4": "a segmentation",
    "1.2.840.10008.5.1.4.1.1.66.7": "a segmentation",
    "1.2.840.10008.5.1.4.1.1.30": "a parametric map",
    "1.2.840.10008.5.1.4.1.1.481.2": "a dose distribution",
}
CAPTURES = tuple(f"1.2.840.10008.5.1.4.1.1.7{kind}" for kind in ("", ".1", ".2", ".3", ".4"))
# Planes that were computed from a volume. Data sets leave them out; they can be denoised, unlike projections of several slices.
REFORMATTED = re.compile(r"(?<![^\s_])(?:MPR|CPR|REFORMATTED|RESAMPLED)(?![^\s_])", re.IGNORECASE)


def check_kind(pixels: Header) -> None:
    """Check that a file has grey images of a scan.

    Raises:
        NotAnImage: it has none, or images that no model is for: the message is the reason.
        Unreadable: it is damaged.
    """
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
    if header.get("SOPClassUID") in CAPTURES and header.get("Modality") == "CT" and header.get("RescaleSlope") is None:
        raise NotAnImage("a secondary capture of a CT, without HU")
    _refuse_other_images(header)


def check_frame(groups: Groups, modality: Any) -> None:
    """NotAnImage if a frame of CT or MR is no slice as it was acquired, or has other values than HU."""
    for macro in FRAME_TYPES:
        kind, component = groups.find(macro, "FrameType"), groups.find(macro, "ComplexImageComponent")
        refuse_image_type(_without_planes(kind), component, modality)
    if modality == "CT":
        refuse_other_units(groups.find("PixelValueTransformationSequence", "RescaleType"))


def is_reformatted(image_type: Any) -> bool:
    """Whether the type of an image says that it is a plane that was computed from a volume."""
    return any(REFORMATTED.search(value) for value in _values(image_type))


def _refuse_other_images(header: "DicomDataset") -> None:
    """Refuse what data sets of CT and MR leave out, apart from reformatted planes.

    The words have other meanings elsewhere: a skeletal survey consists of radiographs.
    """
    modality, image_type = header.get("Modality"), header.get("ImageType")
    if modality not in ("CT", "MR"):
        if "LOCALIZER" in _values(image_type):
            raise NotAnImage("a localiser image")
        return
    described: Any = {keyword: header.get(keyword) for keyword in TAGS} | {"ImageType": _without_planes(image_type)}
    refuse_other_images(described)
    if modality == "CT":
        refuse_other_units(header.get("RescaleType"))
        if header.get("ModalityLUTSequence"):
            raise NotAnImage("values that are not HU")


def _without_planes(image_type: Any) -> list[str]:
    return [REFORMATTED.sub("", value) for value in _values(image_type)]


def _values(image_type: Any) -> list[str]:
    return [image_type] if isinstance(image_type, str) else [str(value) for value in image_type or ()]


def _refuse_without_image(header: "DicomDataset") -> None:
    from pydicom.uid import UID

    kind = str(header.get("SOPClassUID") or header.file_meta.get("MediaStorageSOPClassUID") or "")
    if "Image Storage" in UID(kind).name and kind not in CAPTURES:
        raise Unreadable("it is truncated: it ends before its pixels")
    if not kind:
        raise Unreadable("its header is damaged")
    modality = modality_code(header)
    raise NotAnImage(f"{modality} without an image" if modality else "no image")


def modality_code(header: "DicomDataset") -> str | None:
    """The code of the modality; None where it is missing, or damaged: it could then be any text of the header."""
    value = str(header.get("Modality") or "").strip()
    return value if re.fullmatch(r"[A-Z0-9]{2,12}", value) else None

"""What the functional groups of a derived multi-frame image say of each frame. Runs in reading processes.

PS3.3 C.8.16.1: types of an enhanced image and its frames have four values, and the second stays PRIMARY. C.7.6.16.2.6: each
frame refers to the one that it is derived from. C.12.2: the image names the series of its source.
"""

from collections.abc import Iterator
from copy import deepcopy
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydicom import Dataset as DicomDataset

FRAME_TYPES = (
    "CTImageFrameTypeSequence",
    "MRImageFrameTypeSequence",
    "PETFrameTypeSequence",
    "USImageDescriptionSequence",
    "XAXRFFrameCharacteristicsSequence",
    "XRay3DFrameTypeSequence",
    "PhotoacousticImageFrameTypeSequence",
)
CONTRAST = {"denoised": "NONE", "residual": "SUBTRACTION"}


def functional_groups(header: "DicomDataset") -> Iterator["DicomDataset"]:
    """The item that holds for all frames, then that of each frame; nothing for images without functional groups."""
    yield from header.get("SharedFunctionalGroupsSequence") or ()
    yield from header.get("PerFrameFunctionalGroupsSequence") or ()


def derive_frames(derived: "DicomDataset", source: "DicomDataset", series: str, kind: str) -> None:
    """Change the types of an enhanced image and its frames, and refer from each frame to its source.

    Args:
        derived: the new header, with its derivation; changed in place. Without functional groups it stays as it is.
        source: the item that refers to the original.
        series: SeriesInstanceUID of the original.
        kind: denoised or residual.
    """
    if "SharedFunctionalGroupsSequence" not in derived:
        return
    derived.ImageType = _enhanced_type(derived.ImageType, kind)
    for group in functional_groups(derived):
        for name in FRAME_TYPES:
            for item in group.get(name) or ():
                if "FrameType" in item:
                    item.FrameType = _enhanced_type(item.FrameType, kind)
        if "DerivationImageSequence" in group:
            del group.DerivationImageSequence
    for number, frame in enumerate(derived.get("PerFrameFunctionalGroupsSequence") or (), start=1):
        frame.DerivationImageSequence = [_derivation(derived, source, number)]
    _name_series(derived, source, series)


def _enhanced_type(values: list[str], kind: str) -> list[str]:
    rest = [*values, *[""] * 4][2:]
    contrast = rest[1] if kind == "denoised" and rest[1] else CONTRAST[kind]
    return ["DERIVED", "PRIMARY", rest[0] or "VOLUME", contrast, *values[4:]]


def _derivation(derived: "DicomDataset", source: "DicomDataset", number: int) -> "DicomDataset":
    from pydicom import Dataset

    item, frame = Dataset(), deepcopy(source)
    item.DerivationDescription = derived.DerivationDescription
    item.DerivationCodeSequence = deepcopy(derived.DerivationCodeSequence)
    frame.ReferencedFrameNumber = number
    item.SourceImageSequence = [frame]
    return item


def _name_series(derived: "DicomDataset", source: "DicomDataset", series: str) -> None:
    """List the original among the images of this study that the image refers to."""
    from pydicom import Dataset

    instance, item = Dataset(), Dataset()
    instance.ReferencedSOPClassUID = source.ReferencedSOPClassUID
    instance.ReferencedSOPInstanceUID = source.ReferencedSOPInstanceUID
    item.SeriesInstanceUID, item.ReferencedInstanceSequence = series, [instance]
    derived.ReferencedSeriesSequence = [*(derived.get("ReferencedSeriesSequence") or ()), item]

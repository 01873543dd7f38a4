"""What the functional groups of a derived multi-frame image say of each frame. Runs in reading processes.

PS3.3 C.8.16.1: types of an enhanced image and its frames have four values, and the second stays PRIMARY. C.7.6.16.2.6: each
frame refers to the one that it is derived from, and says how. The image lists its sources (C.8.15.2), and those of its study
(C.12.2).
"""

from collections.abc import Iterator
from copy import deepcopy
from typing import TYPE_CHECKING

from fplbench.applying.dicom.derivation import Derivation, add_derivation

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


def has_groups(header: "DicomDataset") -> bool:
    """Whether an image describes its frames in functional groups, as enhanced ones do."""
    return "SharedFunctionalGroupsSequence" in header


def derive_frames(derived: "DicomDataset", source: "DicomDataset", series: str, derivation: Derivation) -> None:
    """Change the types of an enhanced image and its frames, and refer from each frame to its source.

    Args:
        derived: the new header; changed in place.
        source: the item that refers to the original.
        series: SeriesInstanceUID of the original.
        derivation: what is derived.
    """
    from pydicom import Dataset

    derived.ImageType = _enhanced_type(derived.ImageType, derivation.kind)
    for item in _described_types(derived):
        item.FrameType = _enhanced_type(item.FrameType, derivation.kind)
    shared = derived.SharedFunctionalGroupsSequence[0]
    of_all = shared.pop("DerivationImageSequence", None)
    for number, frame in enumerate(derived.get("PerFrameFunctionalGroupsSequence") or (), start=1):
        steps = frame.get("DerivationImageSequence") or (of_all.value if of_all is not None else None)
        step = deepcopy(steps[0]) if steps else Dataset()
        add_derivation(step, source, derivation)
        step.SourceImageSequence[0].ReferencedFrameNumber = number
        frame.DerivationImageSequence = [step]
    _list_source(derived, source, series)


def _described_types(header: "DicomDataset") -> Iterator["DicomDataset"]:
    """The items that hold the type of frames."""
    for group in functional_groups(header):
        for name in FRAME_TYPES:
            yield from (item for item in group.get(name) or () if "FrameType" in item)


def _enhanced_type(values: list[str], kind: str) -> list[str]:
    rest = [*values, *[""] * 4][2:]
    contrast = rest[1] if kind == "denoised" and rest[1] else CONTRAST[kind]
    return ["DERIVED", "PRIMARY", rest[0] or "VOLUME", contrast, *values[4:]]


def _list_source(derived: "DicomDataset", source: "DicomDataset", series: str) -> None:
    """List the original among the images that the image is derived from, and among those of this study that it refers to."""
    from pydicom import Dataset

    instance, evidence, study = Dataset(), Dataset(), Dataset()
    instance.ReferencedSOPClassUID = source.ReferencedSOPClassUID
    instance.ReferencedSOPInstanceUID = source.ReferencedSOPInstanceUID
    evidence.SeriesInstanceUID, evidence.ReferencedSOPSequence = series, [deepcopy(instance)]
    study.StudyInstanceUID, study.ReferencedSeriesSequence = derived.get("StudyInstanceUID"), [evidence]
    derived.SourceImageEvidenceSequence = [study]
    _refer_to_series(derived, series, instance)


def _refer_to_series(derived: "DicomDataset", series: str, instance: "DicomDataset") -> None:
    """Refer to an image of a series of this study, in the one item that each series has (PS3.3 C.12.2)."""
    from pydicom import Dataset

    items = list(derived.get("ReferencedSeriesSequence") or ())
    related = next((item for item in items if item.get("SeriesInstanceUID") == series), None)
    if related is None:
        related = Dataset()
        related.SeriesInstanceUID = series
        items.append(related)
    known = list(related.get("ReferencedInstanceSequence") or ())
    if instance.ReferencedSOPInstanceUID not in [item.get("ReferencedSOPInstanceUID") for item in known]:
        related.ReferencedInstanceSequence = [*known, instance]
    derived.ReferencedSeriesSequence = items

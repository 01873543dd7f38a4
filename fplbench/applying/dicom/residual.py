"""The header of a residual: denoised minus original, signed, with 0 for no change. Runs in reading processes."""

from typing import TYPE_CHECKING

from fplbench.applying.dicom.frames import functional_groups, has_groups

if TYPE_CHECKING:
    from pydicom import Dataset as DicomDataset

# Of padding, of other values than differences, and of ways to show them.
WITHOUT_MEANING = (
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
    "ModalityLUTSequence",
    "VOILUTSequence",
    "VOILUTFunction",
    "WindowCenterWidthExplanation",
    "RealWorldValueMappingSequence",
)
# Projection radiographs, angiograms and ultrasound have unsigned pixels only.
UNSIGNED = tuple(
    f"1.2.840.10008.5.1.4.1.1.{kind}" for kind in ("1.1", "1.1.1", "1.2", "1.2.1", "1.3", "1.3.1", "12.1", "12.2", "6.1")
)
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
WINDOW_OF_CT = 200.0  # HU
WINDOW_SHARE = 0.1  # of the original's window, for other images


def make_residual(derived: "DicomDataset") -> None:
    """Turn the header of a denoised image into that of its residual; changed in place.

    An image object that has no signed pixels becomes a secondary capture, which can have all the other elements too.
    """
    width = _window_width(derived)
    _name_type(derived)
    derived.BitsAllocated, derived.BitsStored, derived.HighBit, derived.PixelRepresentation = 16, 16, 15, 1
    for dataset in (derived, *functional_groups(derived)):
        for keyword in WITHOUT_MEANING:
            if keyword in dataset:
                del dataset[keyword]
    for group in functional_groups(derived):
        for item in group.get("PixelValueTransformationSequence") or ():
            item.RescaleIntercept = "0"
        for item in group.get("FrameVOILUTSequence") or ():
            _set_window(item, width)
    if "RescaleIntercept" in derived:
        derived.RescaleIntercept = "0"
    if derived.SOPClassUID in UNSIGNED and int(derived.get("NumberOfFrames") or 1) == 1:
        derived.SOPClassUID, derived.ConversionType = SECONDARY_CAPTURE, "WSD"
        if "RescaleSlope" in derived and "RescaleType" not in derived:
            derived.RescaleType = "US"  # unspecified
    if not has_groups(derived):
        _set_window(derived, width)


def _set_window(item: "DicomDataset", width: float) -> None:
    """A window around 0."""
    for keyword in WITHOUT_MEANING:
        if keyword in item:
            del item[keyword]
    item.WindowCenter, item.WindowWidth = "0", f"{width:g}"


def _window_width(derived: "DicomDataset") -> float:
    if derived.get("Modality") == "CT":
        return WINDOW_OF_CT
    widths = [derived.get("WindowWidth")]
    widths += [item.get("WindowWidth") for group in functional_groups(derived) for item in group.get("FrameVOILUTSequence") or ()]
    for width in widths:
        try:
            first = float(width if isinstance(width, str | int | float) else width[0])
        except (TypeError, ValueError, IndexError):
            continue
        if first >= 1:
            return max(1.0, first * WINDOW_SHARE)
    return max(1.0, 2 ** int(derived.BitsStored) * WINDOW_SHARE)


def _name_type(derived: "DicomDataset") -> None:
    """RESIDUAL as the fourth value of the type, after those that the image object defines.

    The types of enhanced images have four defined values, with the fourth for differences. Those of nuclear medicine define the
    fourth too.
    """
    if has_groups(derived):
        return
    values = [*derived.ImageType, "OTHER"][: max(3, len(derived.ImageType))]
    place = 4 if derived.get("Modality") == "NM" and len(values) >= 4 else 3
    derived.ImageType = [*values[:place], "RESIDUAL", *values[place:]]

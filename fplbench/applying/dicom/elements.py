"""Which elements of an image its derived image carries on."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydicom import DataElement
    from pydicom import Dataset as DicomDataset
    from pydicom.tag import BaseTag

OUTDATED = (
    "InstanceCreationDate",  # those of the original; leaving them out keeps the output the same whenever it is made
    "InstanceCreationTime",
    "InstanceCreatorUID",
    "InstanceCoercionDateTime",
    "SmallestImagePixelValue",  # of pixels that are no longer there
    "LargestImagePixelValue",
    "SmallestPixelValueInSeries",
    "LargestPixelValueInSeries",
    "SmallestImagePixelValueInPlane",
    "LargestImagePixelValueInPlane",
    "IconImageSequence",
    "OriginalAttributesSequence",  # which describes changes to the original
    "MACParametersSequence",  # signatures and their keys
    "DigitalSignaturesSequence",
    "EncryptedAttributesSequence",
    "SOPInstanceStatus",  # an approval, which was of the original
    "SOPAuthorizationDateTime",
    "SOPAuthorizationComment",
    "AuthorizationEquipmentCertificationNumber",
    "AlternateRepresentationSequence",
    "ConcatenationUID",  # of an object in several files: each file of the output is an object of its own
    "SOPInstanceUIDOfConcatenationSource",
    "InConcatenationNumber",
    "InConcatenationTotalNumber",
    "ConcatenationFrameOffsetNumber",
    "ExtendedOffsetTable",  # of compressed pixels
    "ExtendedOffsetTableLengths",
    "DataSetTrailingPadding",
)
OVERLAYS = range(0x6000, 0x6020, 2)


def readable(original: "DicomDataset") -> "DicomDataset":
    """A header whose elements can all be written in another transfer syntax.

    An element that cannot be converted, since it violates the standard, is carried as unknown bytes.
    """
    from pydicom.dataelem import DataElement

    if original.original_encoding == (False, True):  # explicit VR little endian, which is written as it was read
        return original
    for tag in _tags(original):
        raw = original.get_item(tag)
        try:
            original[tag]
        except Exception:
            original[tag] = DataElement(tag, "UN", getattr(raw, "value", None) or b"")
    return original


def drop_outdated(derived: "DicomDataset", keep_private: bool) -> None:
    """Remove what no longer holds for other pixels, at every level, and private elements unless they are to be kept."""
    from pydicom.datadict import tag_for_keyword

    outdated = {tag_for_keyword(keyword) for keyword in OUTDATED}

    def drop(dataset: "DicomDataset", element: "DataElement") -> None:
        if element.tag in outdated or (element.tag.is_private and not keep_private):
            del dataset[element.tag]

    for tag in _tags(derived):
        if tag in outdated or (tag.is_private and not keep_private):
            del derived[tag]
    for tag in _tags(derived):
        if _is_sequence(derived, tag):
            for item in derived[tag].value:
                item.walk(drop)
    _drop_overlays_in_pixels(derived)


def _tags(dataset: "DicomDataset") -> list["BaseTag"]:
    """The tags of a data set; iterating over the data set itself would parse its elements."""
    tags = dataset.keys()
    return list(tags)


def _is_sequence(dataset: "DicomDataset", tag: int) -> bool:
    """Whether an element is a sequence, found without parsing other values, which are then written as they were read."""
    from pydicom.datadict import dictionary_VR

    vr = dataset.get_item(tag).VR
    if vr is None:
        try:
            vr = dictionary_VR(tag)
        except KeyError:
            return False
    return vr == "SQ"


def _drop_overlays_in_pixels(derived: "DicomDataset") -> None:
    """Remove overlays that lie in unused bits of the pixels, as they are not written."""
    for group in OVERLAYS:
        place = derived.get((group, 0x0102))
        if place is not None and place.value and (group, 0x3000) not in derived:
            for tag in _tags(derived):
                if tag.group == group:
                    del derived[tag]

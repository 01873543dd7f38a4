"""What is known about the lesions of a data set before any image is drawn."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Lesion:
    """A lesion of a patient.

    Attributes:
        lesion_id: identifier, unique in the data set, and the same in all images that show the lesion.
        kind: nodule, tumour or opacity; for inserted ones, what was inserted.
        shape: mask, or box where only a bounding box is known.
        readers: number of readers who marked it; None if the annotation does not say.
        size_mm: largest diameter in an image plane; of a box, its longer side; None if the spacing cannot be trusted.
        malignancy: mean of the readers' ratings, 1 (benign) to 5; None if it was not rated.
    """

    lesion_id: str
    kind: str
    shape: Literal["mask", "box"] = "mask"
    readers: int | None = None
    size_mm: float | None = None
    malignancy: float | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """A lesion in one image, and what its mask is drawn from.

    Attributes:
        lesion: the lesion.
        drawing: what the data set's `lesion_masks` needs: outlines, a box, or nothing where a mask file has it.
    """

    lesion: Lesion
    drawing: Any = None


@dataclass
class Annotations:
    """The annotations of a data set.

    Attributes:
        marks: the marks of each annotated image by image_id, none for an image that was examined and shows no lesion. An image
            that is missing here has no annotation; nothing is guessed about it. Names in marks are never pseudonyms; what
            writes them to a file replaces them.
        faults: a sentence for each annotation that cannot be used. Like unreadable files, they stop the sampling only
            where their share exceeds max_unreadable. They are logged as they are, so with options.pseudonymise whoever
            reads the annotations writes pseudonyms instead of the names of patients, images and files.
        read: number of annotations (outlined nodules, masks, boxes) that were read, faulty ones included.
        notes: sentences on what was left out on purpose, with counts; names are written as in faults.
    """

    marks: Mapping[str, tuple[Mark, ...]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    read: int = 0
    notes: list[str] = field(default_factory=list)

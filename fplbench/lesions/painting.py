"""From masks at the size of the original image to the lesion numbers of a stack."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fplbench.lesions.marks import Lesion
from fplbench.lesions.stack import MOST

MAJORITY = 0.5  # of a pixel


def label_image(masks: Sequence[tuple[Lesion, np.ndarray]], size: int) -> tuple[np.ndarray, list[tuple[Lesion, int]], int]:
    """Number the lesions of an image, at the size of the stack.

    A pixel belongs to the lesion that covers most of it, if that is at least half; where two cover the same, to the one with
    the smaller mask, so that a small lesion within a large box is not lost. Masks are padded and resized as images are.

    Args:
        masks: each lesion with its mask, bool (H, W), all of the same size.
        size: side of the images in the stack, pixels.

    Returns:
        uint8 (size, size), 0 outside, else the number of the lesion, from 1, in the order given; each numbered lesion with its
        number of pixels; and how many lesions are too small to have one.

    Raises:
        Unreadable: there are more lesions than a stack can number, 255.
        ValueError: the masks differ in size.
    """
    # The package of the data sets imports this module.
    from fplbench.datasets.registry import Unreadable
    from fplbench.datasets.sampling.display import coverage

    if len(masks) > MOST:
        raise Unreadable(f"an image has {len(masks)} lesions; at most {MOST} can be numbered")
    if len({mask.shape for _, mask in masks}) > 1:
        raise ValueError("the masks of an image differ in size")
    owner = np.full((size, size), -1, np.int16)
    most = np.full((size, size), MAJORITY, np.float32)
    by_area = sorted(range(len(masks)), key=lambda index: -int(np.count_nonzero(masks[index][1])))
    for index in by_area:
        covered = coverage(masks[index][1], size)
        if masks[index][0].shape == "box":
            # Row and column decide one by one, as a box would lose its corners: half of a half is a quarter.
            covered = np.minimum.outer(covered.max(axis=1), covered.max(axis=0))
        mine = covered >= most
        owner[mine] = index
        most[mine] = covered[mine]
    pixels = [int(np.count_nonzero(owner == index)) for index in range(len(masks))]
    kept = [index for index, count in enumerate(pixels) if count]
    labels = np.zeros((size, size), np.uint8)
    for number, index in enumerate(kept, start=1):
        labels[owner == index] = number
    return labels, [(masks[index][0], pixels[index]) for index in kept], len(masks) - len(kept)


def lesion_rows(
    image_id: str, patient: str, kept: Sequence[tuple[Lesion, int]], first: int = 1, inserted: int = 0
) -> list[dict[str, Any]]:
    """Rows of the table of a lesion stack, with the keys of `fplbench.lesions.stack.COLUMNS`.

    Args:
        image_id: the image.
        patient: its patient.
        kept: the lesions with their numbers of pixels, as `label_image` returns them.
        first: number of the first lesion; the others follow.
        inserted: 1 for lesions that were inserted, else 0.
    """
    return [
        {
            "image_id": image_id,
            "lesion": number,
            "lesion_id": lesion.lesion_id,
            "patient": patient,
            "kind": lesion.kind,
            "shape": lesion.shape,
            "readers": "" if lesion.readers is None else lesion.readers,
            "size_mm": "" if lesion.size_mm is None else round(lesion.size_mm, 2),
            "malignancy": "" if lesion.malignancy is None else round(lesion.malignancy, 2),
            "pixels": pixels,
            "inserted": inserted,
        }
        for number, (lesion, pixels) in enumerate(kept, start=first)
    ]

"""Numbering the lesions of an image."""

import numpy as np
import pytest

from fplbench.lesions.marks import Lesion
from fplbench.lesions.painting import label_image, lesion_rows
from fplbench.lesions.stack import COLUMNS


def lesion(name):
    return Lesion(name, "nodule")


def box(top, left, bottom, right, shape=(8, 8)):
    mask = np.zeros(shape, bool)
    mask[top:bottom, left:right] = True
    return mask


def test_a_pixel_belongs_to_a_lesion_that_covers_half_of_it():
    """Pixels of the result are 2x2; the mask covers 1/2 of two, 3/4 of none and 1/4 of two."""
    labels, kept, small = label_image([(lesion("a"), box(0, 0, 2, 1) | box(4, 4, 5, 5))], 4)
    assert labels.tolist() == [[1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert kept == [(lesion("a"), 1)] and small == 0


def test_a_pixel_of_two_lesions_belongs_to_the_one_that_covers_more_of_it():
    first, second = box(0, 0, 4, 3), box(0, 3, 4, 8)  # the border is at 3 of 4 pixels
    labels, kept, _ = label_image([(lesion("a"), first), (lesion("b"), second)], 2)
    assert labels.tolist() == [[1, 2], [0, 0]]
    assert kept == [(lesion("a"), 1), (lesion("b"), 1)]


@pytest.mark.parametrize("order", [1, -1])
def test_a_small_lesion_within_a_large_box_is_not_lost(order):
    masks = [(lesion("large"), box(0, 0, 8, 8)), (lesion("small"), box(2, 2, 4, 4))][::order]
    labels, kept, small = label_image(masks, 8)
    assert {one.lesion_id: pixels for one, pixels in kept} == {"large": 60, "small": 4} and small == 0
    assert labels[2, 2] == 1 + [one.lesion_id for one, _ in masks].index("small")


def test_lesions_without_a_pixel_are_counted_and_the_numbers_have_no_gap():
    masks = [(lesion("dot"), box(0, 0, 1, 1)), (lesion("none"), box(0, 0, 0, 0)), (lesion("a"), box(4, 4, 8, 8))]
    labels, kept, small = label_image(masks, 2)
    assert labels.tolist() == [[0, 0], [0, 1]] and kept == [(lesion("a"), 1)] and small == 2


def test_masks_are_padded_as_images_are():
    labels, _, _ = label_image([(lesion("a"), np.ones((4, 8), bool))], 8)
    assert labels.tolist() == [[0] * 8] * 2 + [[1] * 8] * 4 + [[0] * 8] * 2


def test_an_image_without_lesions_is_zero():
    labels, kept, small = label_image([], 16)
    assert labels.shape == (16, 16) and labels.dtype == np.uint8 and not labels.any() and (kept, small) == ([], 0)


def test_the_largest_number_is_255():
    masks = [
        (lesion(str(number)), box(number // 16, number % 16, number // 16 + 1, number % 16 + 1, (16, 16)))
        for number in range(256)
    ]
    labels, kept, _ = label_image(masks[:255], 16)
    assert labels.ravel().tolist() == [*range(1, 256), 0] and len(kept) == 255
    with pytest.raises(ValueError, match="an image has 256 lesions; at most 255 can be numbered"):
        label_image(masks, 16)


def test_masks_of_different_sizes_are_refused():
    with pytest.raises(ValueError, match="differ in size"):
        label_image([(lesion("a"), np.ones((4, 8), bool)), (lesion("b"), np.ones((8, 4), bool))], 8)


def test_rows_have_the_columns_of_the_table():
    known = Lesion("n1", "nodule", readers=4, size_mm=30.123, malignancy=4.75)
    rows = lesion_rows("image", "patient", [(known, 12), (Lesion("b", "opacity", "box"), 40)], inserted=1)
    assert [tuple(row) for row in rows] == [COLUMNS] * 2
    assert list(rows[0].values()) == ["image", 1, "n1", "patient", "nodule", "mask", 4, 30.12, 4.75, 12, 1]
    assert list(rows[1].values()) == ["image", 2, "b", "patient", "opacity", "box", "", "", "", 40, 1]


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        # Shares of rows 0 to 2: 1/2, 1, 1/2; of columns 1 to 3: 3/4, 1, 1/2. A corner has 3/8 or 1/4.
        ("mask", [[0, 0, 1, 0], [0, 1, 1, 1], [0, 0, 1, 0], [0, 0, 0, 0]]),
        ("box", [[0, 1, 1, 1], [0, 1, 1, 1], [0, 1, 1, 1], [0, 0, 0, 0]]),
    ],
)
def test_a_box_keeps_its_corners(shape, expected):
    mask = np.zeros((16, 16), bool)
    mask[2:10, 5:14] = True
    labels, _, _ = label_image([(Lesion("a", "opacity", shape), mask)], 4)
    assert labels.tolist() == expected

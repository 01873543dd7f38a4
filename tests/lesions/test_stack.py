"""Lesion stacks and their tables."""

import re

import numpy as np
import pytest

from fplbench.errors import InputError
from fplbench.lesions.stack import COLUMNS, creating_lesions, lesions_path, open_lesions, share_of_annotations, write_lesions
from fplbench.stacks import write_stack


def row(image, lesion):
    fixed = {"lesion_id": "n1", "patient": "p", "kind": "nodule", "shape": "mask", "readers": 3}
    return {"image_id": image, "lesion": lesion, **fixed, "size_mm": 7.5, "malignancy": "", "pixels": 4, "inserted": 0}


@pytest.fixture
def stack(tmp_path):
    """Three images, of which the second has the lesions 1 and 2."""
    path = tmp_path / "test.npy"
    write_stack(path, np.zeros((3, 16, 16), np.uint8), [{"image_id": f"i{number}", "patient": "p"} for number in range(3)])
    lesions = np.zeros((3, 16, 16), np.uint8)
    lesions[1, 2:4, 2:4], lesions[1, 8:10, 8:10] = 1, 2
    write_lesions(path, lesions, [row("i1", 1), row("i1", 2)])
    return path


def test_what_is_written_is_read(stack):
    lesions, rows = open_lesions(stack)
    assert np.unique(lesions[1]).tolist() == [0, 1, 2] and not lesions[0].any() and not lesions[2].any()
    assert list(rows[0]) == list(COLUMNS)
    assert rows == [{name: str(value) for name, value in row("i1", number).items()} for number in (1, 2)]


def test_images_without_lesions_take_no_space(tmp_path):
    """One image of 256 has a lesion; the file system may keep a few blocks more than its 64 kB."""
    lesions = np.zeros((256, 256, 256), np.uint8)
    lesions[100, 5, 5] = 1
    write_lesions(tmp_path / "test.npy", lesions, [])
    file = lesions_path(tmp_path / "test.npy").stat()
    assert file.st_size > lesions.nbytes and file.st_blocks * 512 < 4 * lesions[0].nbytes


def test_nothing_is_left_behind_by_an_error(tmp_path):
    def fill():
        with creating_lesions(tmp_path / "test.npy", (1, 16, 16)):
            raise InputError("too many faults")

    with pytest.raises(InputError, match="too many faults"):
        fill()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([row("i1", 1), row("i1", 2), row("i9", 1)], "lists a lesion of 'i9', which is not an image of the stack"),
        ([row("i1", 1), row("i1", "two")], "the lesion 'two' of 'i1' is not a number"),
        ([row("i1", 1)], "has the lesions [1, 2] in 'i1', but its table lists [1]"),
        ([row("i1", 1), row("i1", 2), row("i2", 1)], "has the lesions [] in 'i2', but its table lists [1]"),
    ],
)
def test_a_table_of_other_lesions_is_refused(stack, rows, message):
    lesions = np.array(open_lesions(stack)[0])
    write_lesions(stack, lesions, rows)
    with pytest.raises(InputError, match=re.escape(message)):
        open_lesions(stack)


def test_a_lesion_stack_of_another_size_or_without_table_is_refused(stack):
    lesions_path(stack).with_suffix(".csv").unlink()
    with pytest.raises(InputError, match=r"test_lesions\.csv does not exist"):
        open_lesions(stack)
    write_lesions(stack, np.zeros((2, 16, 16), np.uint8), [])
    with pytest.raises(InputError, match=r"holds 2 images of 16x16 pixels; .* holds 3 images"):
        open_lesions(stack)


@pytest.mark.parametrize(
    ("share", "kept"),
    [
        (1.0, [1, 1, 1, 1, 1, 1, 1, 1]),
        (0.5, [1, 1, 1, 0, 1, 1, 0, 1]),
        (0.25, [1, 1, 1, 0, 0, 1, 0, 1]),
        (0.01, [1, 1, 1, 0, 0, 1, 0, 0]),
    ],
)
def test_a_share_of_the_annotations_is_spread_over_the_images_with_lesions(share, kept):
    lesions = np.zeros((8, 4, 4), np.uint8)
    lesions[[1, 3, 4, 6, 7], 0, 0] = 1  # 0, 2 and 5 have none
    assert share_of_annotations(lesions, share).tolist() == [bool(each) for each in kept]

"""Which test images figures and pages show."""

import numpy as np

from fplbench.lesions.stack import write_lesions
from fplbench.reporting.shown import shown_images
from fplbench.stacks import write_stack


def stack_of(path, number):
    index = [{"image_id": f"i{k}", "patient": "p", "source": "s", "slice": str(k)} for k in range(number)]
    write_stack(path, np.zeros((number, 16, 16), np.uint8), index)
    return path


def lesion(image, number, name, pixels):
    return {
        "image_id": f"i{image}", "lesion": number, "lesion_id": name, "patient": "p", "kind": "nodule", "shape": "mask",
        "readers": 1, "size_mm": 3, "malignancy": "", "pixels": pixels, "inserted": 0,
    }  # fmt: skip


def test_without_lesions_the_images_are_spread_evenly(tmp_path):
    path = stack_of(tmp_path / "test.npy", 12)
    assert shown_images(path, 1) == [6]
    assert shown_images(path, 3) == [6, 3, 9]  # the middle of 0 to 5 and of 7 to 11
    assert shown_images(path, 7) == [6, 3, 9, 1, 5, 8, 11]
    assert sorted(shown_images(path, 20)) == list(range(12))


def test_images_with_the_largest_lesions_come_first(tmp_path):
    path = stack_of(tmp_path / "test.npy", 12)
    masks = np.zeros((12, 16, 16), np.uint8)
    masks[3, 2:4, 2:4] = masks[4, 2:6, 2:4] = masks[9, 0, :5] = 1
    # One lesion in images 3 and 4, largest in 4; another in image 9.
    write_lesions(path, masks, [lesion(3, 1, "a", 4), lesion(4, 1, "a", 8), lesion(9, 1, "b", 5)])
    assert shown_images(path, 1) == [4]
    assert shown_images(path, 2) == [4, 9]
    assert shown_images(path, 4) == [4, 9, 6, 2]  # the others are 0 1 2 3 5 6 7 8 10 11: their middle, and that of the first half

"""The lesions in the explorer pages: their outlines, and their scores in each image."""

import numpy as np
import pytest

from fplbench.errors import InputError
from fplbench.lesions.stack import write_lesions
from fplbench.reporting.explorer.lesions import outline
from tests.helpers.explorer import METHODS, TABLE, arguments, data_of, lesion, write_lesion_scores, write_run, write_scores


@pytest.fixture
def folder(tmp_path):
    return write_run(tmp_path)


def test_scores_of_lesions_are_the_means_over_the_annotated_ones_of_an_image(folder):
    (folder / "lidc.csv").write_text(
        "dataset,metric,noise,method,mean\n"
        + "".join(f"lidc,{metric},gaussian,fpl,1\n" for metric in ("lesion_psnr", "contrast_recovery", "recovery_error"))
        + "lidc,inserted_lesion_psnr,gaussian,fpl,7\n"
    )
    data = data_of(folder, means=folder / "lidc.csv", lesion_scores=write_lesion_scores(folder))
    own = data["scores"]["values"]["gaussian"]["fpl"]
    assert own["lesion_psnr"] == [None, 23, 30, None]  # of 20 and 26 dB, and one lesion alone
    assert own["contrast_recovery"] == [None, 0.875, None, None]
    assert own["recovery_error"] == [None, 0.375, None, None]
    assert "inserted_lesion_psnr" not in own
    assert data["scores"]["means"]["gaussian"]["fpl"]["inserted_lesion_psnr"] == 7
    assert data["scores"]["values"]["poisson"]["fpl"].keys() == {"psnr", "ssim"}
    assert any(note.startswith("Annotated: 3 lesions in 2 images of 2 patients.") for note in data["notes"])


def test_scores_of_lesions_are_means_over_the_trainings(folder):
    (folder / "lidc.csv").write_text(TABLE)
    write_scores(folder, (*METHODS, "fpl-2"))
    scores = write_lesion_scores(folder, (*METHODS, "fpl-2"))
    own = data_of(folder, means=folder / "lidc.csv", lesion_scores=scores)["scores"]["values"]["gaussian"]
    assert own["noisy"]["lesion_psnr"] == [None, 23, 30, None]
    assert own["fpl"]["lesion_psnr"] == [None, 23.5, 30, None]  # of 23 and 24 dB


def test_scores_of_lesions_in_other_images_are_refused(folder):
    with pytest.raises(InputError, match=r"gaussian.csv has lesions in 'i7', which is no test image"):
        data_of(folder, lesion_scores=write_lesion_scores(folder, image=7))


def test_lesions_are_those_of_the_shown_image_but_not_inserted_ones(folder):
    masks = np.zeros((4, 16, 16), np.uint8)
    masks[2, 3:5, 6:10], masks[2, 12, 12], masks[0, 0, 0] = 1, 2, 1
    write_lesions(arguments(folder)[0], masks, [lesion(2, 1, 8), lesion(2, 2, 1, inserted=1), lesion(0, 1, 1)])
    images = data_of(folder)["images"]
    assert [image["id"] for image in images] == ["i2", "i1"]
    [found] = images[0]["lesions"]
    assert (found["name"], found["kind"], found["shape"]) == ("lesion-1", "nodule", "mask")
    # Rows 3 and 4 and columns 6 to 9 cover 6 to 10 across and 3 to 5 down.
    assert sorted(found["edges"]) == [[6, 3, 6, 5], [6, 3, 10, 3], [6, 5, 10, 5], [10, 3, 10, 5]]
    assert images[1]["lesions"] == []


def test_an_outline_covers_each_edge_of_the_lesion_once_with_as_few_lines_as_there_can_be():
    mask = np.random.default_rng(1).random((13, 17)) < 0.5
    padded = np.pad(mask, 1).astype(int)
    vertical, horizontal = np.abs(np.diff(padded, axis=1))[1:-1], np.abs(np.diff(padded, axis=0))[:, 1:-1]
    drawn = np.zeros_like(vertical), np.zeros_like(horizontal)
    lines = outline(mask)
    for x1, y1, x2, y2 in lines:
        assert (x1 == x2) != (y1 == y2)
        if x1 == x2:
            drawn[0][y1:y2, x1] += 1
        else:
            drawn[1][y1, x1:x2] += 1
    np.testing.assert_array_equal(drawn[0], vertical)
    np.testing.assert_array_equal(drawn[1], horizontal)
    runs = (np.diff(vertical, axis=0, prepend=0) == 1).sum() + (np.diff(horizontal, axis=1, prepend=0) == 1).sum()
    assert len(lines) == runs
    assert outline(np.zeros((3, 3), bool)) == []

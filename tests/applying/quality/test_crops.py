"""The largest changes of the quality page: where they are looked for, found and shown."""

import numpy as np
import pytest

from fplbench.applying.quality.body import body_squares
from fplbench.applying.quality.crops import largest_change
from fplbench.applying.quality.summary import largest_crops
from fplbench.applying.quality.tissues import soft_window
from tests.applying.quality.slices import body_on_a_table, decoded, statistics


def test_the_largest_change_is_a_structure_and_not_a_noisy_pixel():
    before = np.full((200, 300), 40, np.float32)
    row, column = np.indices(before.shape)
    disc = (row - 60) ** 2 + (column - 220) ** 2 < 14**2
    before[disc] += 30
    before[150, 80] += 400
    after = np.full_like(before, 40)
    found = largest_change(before, after, after - before, (-160, 240))
    assert found["score"] == pytest.approx(30)
    assert (found["row"], found["column"]) == (pytest.approx(60, abs=8), pytest.approx(220, abs=8))
    picture = decoded(found["image"])
    top, left = found["row"] - 32, found["column"] - 32
    part = before[top : top + 64, left : left + 64]
    assert np.array_equal(picture[:, :64], np.rint((part + 160) / 400 * 255))
    assert np.all(picture[:, 64:128] == round(200 / 400 * 255))
    changed = (picture[:, 128:].astype(float) - 128) * found["bound"] / 127
    assert changed == pytest.approx(40 - part, abs=found["bound"] / 127)


def test_the_largest_change_of_a_ct_is_that_within_the_body():
    before, after = body_on_a_table()
    found = statistics(before, after)["crop"]
    assert (found["row"], found["column"]) == (pytest.approx(103, abs=8), pytest.approx(98, abs=8))
    elsewhere = statistics(before, after, hounsfield=False)["crop"]
    assert elsewhere["row"] == pytest.approx(30, abs=8)  # in air


def test_where_no_body_is_the_whole_slice_counts():
    air = np.full((64, 64), -1000, np.float32)
    assert body_squares(air, 4).all()


def test_a_body_that_reaches_beyond_the_image_keeps_its_squares_at_the_border():
    assert body_squares(np.full((64, 66), 40, np.float32), 4).all()


def test_the_largest_change_of_soft_tissue_is_found_and_shown_at_its_window():
    before, after = body_on_a_table()
    after[60:76, 120:136] += 5  # that in the lung is 60 * 6**2 / 16**2 = 8.4 on average
    whole = statistics(before, after)
    found = whole["soft_crop"]
    assert (found["score"], found["row"], found["column"]) == (5, 68, 128)
    assert whole["crop"]["score"] == pytest.approx(8.44, abs=0.01)
    picture = decoded(found["image"])
    assert (picture[32, 32], picture[32, 96]) == (round(200 / 400 * 255), round(205 / 400 * 255))  # of -160 to 240 HU
    assert statistics(before, after, hounsfield=False)["soft_crop"] is None


def test_soft_tissue_beyond_the_window_is_not_shown():
    before, after = body_on_a_table()
    assert statistics(before, after + 1, window=(300, 600))["soft_crop"] is None


@pytest.mark.parametrize(
    ("window", "expected"),
    [((-1000, 400), (-160, 240)), ((-100, 100), (-100, 100)), ((0, 4000), (0, 240)), ((300, 600), None), ((-1200, -500), None)],
)
def test_the_window_of_soft_tissue_is_within_that_of_the_model(window, expected):
    assert soft_window(window) == expected


def test_crops_that_are_shown_already_are_not_chosen_again():
    slices = [{"number": number, "soft_crop": {"row": 100, "column": 50, "score": 1.0}} for number in (0, 9)]
    assert [number for number, _ in largest_crops(slices, "soft_crop", 6, [(1, {"row": 90, "column": 60})])] == [9]


def test_crops_of_the_same_place_are_shown_once():
    places = [(0, 100, 9.0), (1, 104, 8.0), (2, 300, 7.0), (30, 100, 6.0)]
    slices = [{"number": number, "crop": {"row": row, "column": 50, "score": score}} for number, row, score in places]
    assert [number for number, _ in largest_crops([*slices, {"number": 5, "crop": None}], "crop", 12)] == [0, 2, 30]

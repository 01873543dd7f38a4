"""The largest changes of the quality page: where they are looked for, found and shown."""

import numpy as np
import pytest

from fplbench.applying.quality.body import body_squares
from fplbench.applying.quality.crops import largest_change
from fplbench.applying.quality.summary import largest_crops
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


def test_crops_of_the_same_place_are_shown_once():
    places = [(0, 100, 9.0), (1, 104, 8.0), (2, 300, 7.0), (30, 100, 6.0)]
    slices = [{"number": number, "crop": {"row": row, "column": 50, "score": score}} for number, row, score in places]
    assert [number for number, _ in largest_crops([*slices, {"number": 5, "crop": None}])] == [0, 2, 30]

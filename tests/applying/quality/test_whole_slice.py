"""The pictures of a whole slice on the quality page."""

import numpy as np
import pytest
from matplotlib import colormaps

from fplbench.applying.quality import slice_statistics
from fplbench.applying.quality.whole_slice import slice_figures, slice_pictures
from fplbench.applying.scan import Plane
from tests.applying.quality.slices import SPACING, WINDOW, decoded, phantom, statistics


def test_only_the_middle_slice_has_pictures():
    before = phantom()
    found = [slice_statistics(Plane(number, before), before + 1, WINDOW, True, SPACING, 4) for number in range(4)]
    assert [bool(each["pictures"]) for each in found] == [False, False, True, False]
    assert statistics(before, before)["pictures"] is None


def test_the_pictures_are_the_slice_at_the_window_and_the_change_in_colours():
    before = np.full((100, 80), 40, np.float32)
    before[:50] = -160
    after = before + 10
    after[:, 40:] -= 20
    found = slice_pictures(before, after, (-160, 240), None)
    assert (found["height"], found["width"], found["bound"]) == (100, 80, 10)
    assert np.array_equal(decoded(found["before"]), np.rint((before + 160) / 400 * 255))
    assert np.array_equal(decoded(found["after"]), np.rint(np.clip((after + 160) / 400 * 255, 0, 255)))
    colours = [decoded(found["change"])[50, column][::-1] for column in (10, 70)]
    expected = [np.rint(np.array(colormaps["cividis"](value)[:3]) * 255) for value in (1.0, 0.0)]
    assert np.array_equal(colours, expected)


@pytest.mark.parametrize(
    ("window", "hounsfield", "soft"),
    [((-1200, 600), True, [-160, 240]), ((-100, 500), True, [-100, 240]), ((-160, 340), True, None), ((0, 1000), False, None)],
)
def test_in_a_window_wider_than_500_hu_soft_tissue_is_shown_at_its_own(window, hounsfield, soft):
    before = np.full((64, 64), 40, np.float32)
    found = slice_statistics(Plane(1, before), before + 20, window, hounsfield, None, 2)["pictures"]
    assert found.get("soft", {}).get("window") == soft
    page = slice_figures(1, found, window, "HU")
    assert page.count("<figure ") == (5 if soft else 3) and ("Slice 2, soft tissue: after." in page) == bool(soft)
    if soft:
        assert f"<span>−{-soft[0]} HU</span><span>240 HU</span>" in page
        assert decoded(found["soft"]["after"])[0, 0] == round((60 - soft[0]) / (soft[1] - soft[0]) * 255)


@pytest.mark.parametrize(
    ("shape", "spacing", "size"),
    [
        ((512, 512), None, (512, 512)), ((3000, 2000), (0.1, 0.1), (512, 341)), ((100, 200), (2.0, 1.0), (200, 200)),
        ((40, 512), (5.0, 0.5), (400, 512)),
    ],
)  # fmt: skip
def test_pictures_have_square_pixels_and_at_most_512_of_them(shape, spacing, size):
    found = slice_pictures(np.zeros(shape, np.float32), np.zeros(shape, np.float32), (0, 1), spacing)
    assert (found["height"], found["width"]) == size == decoded(found["before"]).shape

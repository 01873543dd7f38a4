"""The part of an image that a figure magnifies, and the corner in which it shows it."""

import numpy as np
import pytest

from fplbench.reporting.detail import INSET, choose_detail


def corner(detail, size):
    """The part of the panel that the magnified part covers at most."""
    reach = int(INSET * size)
    return (
        slice(size - reach, size) if detail.at_bottom else slice(0, reach),
        slice(size - reach, size) if detail.at_right else slice(0, reach),
    )


@pytest.mark.parametrize("size", [16, 96, 256])
@pytest.mark.parametrize("extent", [0.01, 0.1, 0.18])
def test_no_lesion_is_hidden_wherever_it_is_and_however_large_within_the_part(size, extent):
    side = max(1, int(extent * size))
    image = np.random.default_rng(0).integers(0, 256, (size, size), dtype=np.uint8)
    for top in np.linspace(0, size - side, 5).astype(int):
        for left in np.linspace(0, size - side, 5).astype(int):
            mask = np.zeros((size, size), bool)
            mask[top : top + side, left : left + side] = True
            detail = choose_detail(image, mask)
            assert not mask[corner(detail, size)].any()
            assert detail.rows.start <= top + side // 2 < detail.rows.stop
            assert detail.columns.start <= left + side // 2 < detail.columns.stop
            assert detail.side <= 0.2 * size + 1


def test_the_middle_of_a_large_lesion_is_magnified_at_least_twice():
    mask = np.zeros((256, 256), bool)
    mask[60:200, 50:210] = True
    detail = choose_detail(np.zeros((256, 256), np.uint8), mask)
    assert mask[detail.rows, detail.columns].all()
    assert detail.dots(512) >= 2 * 2  # two dots for a pixel of the panel
    assert detail.outline().size == 0  # the outline is outside


def test_without_a_lesion_the_most_detailed_part_is_magnified_not_the_strongest_edge():
    image = np.zeros((96, 96), np.uint8)
    image[:, 60:] = 255  # one strong edge
    image[20:40, 20:40] = np.random.default_rng(0).integers(0, 60, (20, 20))  # texture
    detail = choose_detail(image)
    assert detail.rows.start >= 20 and detail.rows.stop <= 41
    assert detail.columns.start >= 20 and detail.columns.stop <= 41
    assert detail.side == 12  # an eighth


def test_the_corner_with_the_least_detail_is_covered():
    image = np.random.default_rng(0).integers(0, 256, (96, 96), dtype=np.uint8)
    image[:48, 48:] = 7
    mask = np.zeros((96, 96), bool)
    mask[60:64, 20:24] = True
    detail = choose_detail(image, mask)
    assert (detail.at_bottom, detail.at_right) == (False, True)


def test_the_outline_has_the_place_of_the_lesion_in_the_part():
    mask = np.zeros((96, 96), bool)
    mask[40, 50] = True
    detail = choose_detail(np.zeros((96, 96), np.uint8), mask)
    x, y = 50 - detail.columns.start, 40 - detail.rows.start
    corners = {tuple(point) for line in detail.outline() for point in line}
    assert corners == {(x, y), (x + 1, y), (x, y + 1), (x + 1, y + 1)}

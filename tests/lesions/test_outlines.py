"""Regions drawn as outlines, against hand-counted pixels and scikit-image."""

from itertools import pairwise

import numpy as np
import pytest

from fplbench.lesions.outlines import Contour, Patch, agreement, crop, diameter, interior, overlap
from tests.helpers.lidc_files import around


def contour(points, inclusion=True):
    return Contour(np.array(points, np.int16), inclusion)


def rectangle(top, left, height, width):
    return Patch(top, left, np.ones((height, width), bool))


def test_the_line_around_a_rectangle_is_not_part_of_it():
    region = interior([contour(around(5, 7, 3, 4))])
    assert (region.top, region.left) == (5, 7) and region.mask.shape == (3, 4) and region.mask.all()


def test_the_first_number_of_a_point_is_the_column():
    region = interior([contour([(10, 2), (16, 2), (16, 5), (10, 5)])])
    assert (region.top, region.left, region.mask.shape) == (3, 11, (2, 5))


@pytest.mark.parametrize("seed", range(5))
def test_the_interior_is_that_of_scikit_image_without_its_boundary(seed):
    from skimage.draw import line, polygon

    rng = np.random.default_rng(seed)
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    radii = rng.uniform(8, 28, 24)
    corners = np.rint(np.stack([32 + radii * np.cos(angles), 32 + radii * np.sin(angles)], axis=1)).astype(int)
    chain = [
        point
        for first, second in pairwise([*corners, corners[0]])
        for point in zip(*line(first[0], first[1], second[0], second[1]), strict=True)
    ]
    columns, rows = np.array(chain).T
    expected = np.zeros((64, 64), bool)
    expected[polygon(rows, columns)] = True
    expected[rows, columns] = False
    assert expected.sum() > 300
    assert np.array_equal(interior([contour(chain)]).paste((64, 64)), expected)


def test_a_hole_is_left_out_with_its_line():
    region = interior([contour(around(13, 13, 2, 2), False), contour(around(10, 10, 8, 8))])
    assert region.mask.sum() == 8 * 8 - 4 * 4  # a hole of 2x2 and the line around it
    assert not region.paste((30, 30))[12:16, 12:16].any()


def test_two_parts_of_a_nodule_in_one_image_are_joined():
    region = interior([contour(around(2, 2, 3, 3)), contour(around(10, 20, 2, 5))])
    assert region.mask.sum() == 9 + 10 and (region.top, region.left, region.mask.shape) == (2, 2, (10, 23))


@pytest.mark.parametrize("points", [[(5, 5)], [(5, 5), (6, 5)], [(5, 5), (6, 5), (6, 6)], [(3, 4)] * 3])
def test_a_line_that_surrounds_no_pixel_gives_no_region(points):
    assert interior([contour(points)]) is None


def test_a_hole_alone_gives_no_region():
    assert interior([contour(around(5, 5, 4, 4), False)]) is None


def test_pixels_of_two_of_three_readers_are_the_agreement():
    readers = [rectangle(0, 0, 4, 4), rectangle(2, 2, 4, 4), rectangle(100, 100, 1, 1)]
    agreed = agreement(readers, 2)
    assert (agreed.top, agreed.left, agreed.mask.shape) == (2, 2, (2, 2)) and agreed.mask.all()
    assert agreement(readers, 3) is None and agreement(readers[:1], 2) is None
    assert agreement(readers, 1).mask.sum() == 16 + 16 - 4 + 1


@pytest.mark.parametrize(("second", "shared"), [((2, 3, 4, 4), 2), ((4, 0, 2, 2), 0), ((0, 0, 4, 4), 16), ((1, 1, 2, 2), 4)])
def test_overlap_counts_the_shared_pixels(second, shared):
    assert overlap(rectangle(0, 0, 4, 4), rectangle(*second)) == shared
    assert overlap(rectangle(*second), rectangle(0, 0, 4, 4)) == shared


def test_the_diameter_of_a_rectangle_is_its_diagonal():
    mask = np.zeros((9, 9), bool)
    mask[2:5, 1:5] = True  # 3 rows of 2 mm and 4 columns of 2 mm
    assert diameter(mask, (2.0, 2.0)) == pytest.approx(10)
    assert diameter(mask, (4.0, 0.5)) == pytest.approx(np.hypot(12, 2))


def test_the_diameter_is_the_largest_distance_of_any_two_corners():
    mask = np.random.default_rng(3).random((12, 15)) < 0.15
    corners = np.array([(row + down, column + right) for row, column in np.argwhere(mask) for down in (0, 1) for right in (0, 1)])
    lengths = np.linalg.norm((corners[:, None] - corners[None]) * (0.7, 0.6), axis=-1)
    assert diameter(mask, (0.7, 0.6)) == pytest.approx(lengths.max())


def test_a_region_is_cropped_and_pasted_back_where_it_was():
    image = np.zeros((20, 30), bool)
    image[4:7, 10:12] = image[5, 9] = True
    patch = crop(Patch(0, 0, image))
    assert patch.mask.shape == (3, 3) and np.array_equal(patch.paste((20, 30)), image)
    assert crop(Patch(0, 0, np.zeros((3, 3), bool))) is None


@pytest.mark.parametrize("place", [(-1, 0), (0, -1), (18, 0), (0, 28)])
def test_a_region_that_leaves_the_image_is_refused(place):
    with pytest.raises(ValueError, match="does not fit an image of 20x30"):
        rectangle(*place, 3, 3).paste((20, 30))

import math

import numpy as np
import pytest

from fplbench.lesions.insert_shapes import cut_out, draw_ellipse
from fplbench.lesions.options import InsertionOptions
from fplbench.lesions.shapes import soft_ellipse


@pytest.mark.parametrize(("axes", "softness"), [((9.0, 9.0), 0.0), ((9.0, 6.0), 1.0), ((20.0, 15.0), 2.0)])
def test_the_area_of_at_least_half_the_contrast_is_that_of_the_ellipse(axes, softness):
    areas = [
        np.count_nonzero(soft_ellipse(30, axes, angle, softness, offset) >= 0.5)
        for angle in (0.0, 0.4, 1.1)
        for offset in ((0.0, 0.0), (0.3, -0.4), (-0.2, 0.1))
    ]
    # Gauss's circle problem: the rim adds a pixel here and there, which averages out.
    assert np.mean(areas) == pytest.approx(math.pi * axes[0] * axes[1], rel=0.02)


def test_the_integral_of_a_sharp_ellipse_is_its_area():
    assert soft_ellipse(12, (9, 6), 0.3, 0).sum() == pytest.approx(math.pi * 54, rel=0.005)


def test_the_edge_of_a_circle_is_the_error_function_of_the_distance():
    profile = soft_ellipse(30, (15, 15), 0.0, 3.0)[30, 31:]
    # The mean over a pixel of a curve: its value in the middle, as the curve is nearly straight over a pixel.
    expected = [(1 - math.erf((distance - 15) / 3)) / 2 for distance in range(1, 31)]
    np.testing.assert_allclose(profile, expected, atol=0.01)


def test_the_longer_axis_points_where_the_angle_says():
    profile = soft_ellipse(20, (15, 5), math.pi / 2, 0) >= 0.5
    assert (np.count_nonzero(profile[:, 20]), np.count_nonzero(profile[20])) == (29, 9)  # the ends are less than half covered
    diagonal = soft_ellipse(20, (15, 5), math.pi / 4, 0)
    assert diagonal[29, 29] == 1  # down to the right
    assert diagonal[29, 11] == 0


def test_the_offset_moves_the_centre_of_mass():
    profile = soft_ellipse(20, (8, 6), 0.7, 1.0, (0.4, -0.3))
    grid = np.arange(-20, 21)
    assert (profile.sum(axis=1) @ grid) / profile.sum() == pytest.approx(0.4, abs=0.01)
    assert (profile.sum(axis=0) @ grid) / profile.sum() == pytest.approx(-0.3, abs=0.01)


def draws(options, pixel_mm, contrast=(-60, -20), scale=2.0, count=120):
    rng = np.random.default_rng(4)
    return [draw_ellipse(options, contrast, scale, pixel_mm, 2, rng) for _ in range(count)]


@pytest.mark.parametrize("pixel_mm", [0.7, 1.4, 2.8])
def test_drawn_sizes_and_contrasts_fill_their_ranges_at_the_pixel_size(pixel_mm):
    options = InsertionOptions(size_mm=(15, 30), axis_ratio=(1, 1), softness_mm=(0, 0))
    drawn = draws(options, pixel_mm)
    diameters = [2 * math.sqrt(np.count_nonzero(each.mask) / math.pi) * pixel_mm for each in drawn]
    assert min(diameters) == pytest.approx(15, abs=0.6 * pixel_mm)
    assert max(diameters) == pytest.approx(30, abs=0.6 * pixel_mm)
    assert all(15 <= each.size * pixel_mm <= 30 and -30 <= each.contrast <= -10 for each in drawn)
    assert min(each.contrast for each in drawn) < -29 < -11 < max(each.contrast for each in drawn)


def test_lesions_smaller_than_the_least_area_are_drawn_with_it():
    options = InsertionOptions(size_mm=(1, 2), min_pixels=12, softness_mm=(0, 0))
    areas = [np.count_nonzero(each.mask) for each in draws(options, pixel_mm=3.75)]
    assert np.mean(areas) == pytest.approx(12, abs=0.5)
    assert min(areas) >= 8


def test_the_reach_covers_the_lesion_and_its_surroundings():
    for each in draws(InsertionOptions(softness_mm=(1, 6)), pixel_mm=1.4):
        half = len(each.weight) // 2
        rows, columns = np.nonzero(each.weight)
        assert np.hypot(rows - half, columns - half).max() < each.reach
        rows, columns = np.nonzero(each.mask)
        assert np.hypot(rows - half, columns - half).max() + 2 < each.reach


def lung_with_nodule(size=96):
    """Grey levels of lung (30) with a soft nodule 100 above it, its mask, and where the image is lung."""
    profile = np.zeros((size, size))
    profile[20:61, 25:66] = soft_ellipse(20, (9, 7), 0.5, 1.5)
    image = np.rint(30 + 100 * profile).astype(np.uint8)
    return image, (profile >= 0.5).astype(np.uint8), image < 91


def test_a_nodule_is_moved_whole_to_darker_lung():
    image, lesions, lung = lung_with_nodule()
    nodule = cut_out(image, lesions, 1, lung, 2)
    there = np.full(nodule.mask.shape, 12, np.uint8)
    moved = there + nodule.change(there)
    source = image[tuple(slice(middle - len(there) // 2, middle + len(there) // 2 + 1) for middle in (40, 45))]
    np.testing.assert_array_equal(moved[nodule.mask], source[nodule.mask].astype(float) - 30 + 12)
    # Two pixels from the outline, which is within half a pixel of half the contrast, the soft edge is cut to its half, and
    # to nothing two pixels further.
    tail = 100 * (1 - math.erf(1.5 / 1.5)) / 2
    assert np.abs(moved - (source.astype(float) - 18)).max() <= tail / 2 + 0.5


def test_a_nodule_replaces_what_was_there():
    image, lesions, lung = lung_with_nodule()
    nodule = cut_out(image, lesions, 1, lung, 2)
    there = np.full(nodule.mask.shape, 30, np.uint8)
    vessel = there.copy()
    vessel[len(there) // 2] = 85
    np.testing.assert_array_equal(
        (vessel + nodule.change(vessel))[nodule.mask], (there + nodule.change(there))[nodule.mask]
    )  # fmt: skip


@pytest.mark.parametrize("quarters", range(4))
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_turned_nodule_has_the_same_pixels(quarters, mirrored):
    image, lesions, lung = lung_with_nodule()
    image[lesions == 1] += np.arange(np.count_nonzero(lesions), dtype=np.uint8) % 16  # no symmetry
    nodule = cut_out(image, lesions, 1, lung, 2)
    turned = nodule.turned(quarters, mirrored)
    assert sorted(turned.difference[turned.mask]) == sorted(nodule.difference[nodule.mask])
    assert np.array_equal(turned.difference, nodule.difference) is (quarters == 0 and not mirrored)


def test_pleura_that_a_nodule_touches_stays_behind():
    image, lesions, _ = lung_with_nodule()
    wall = np.zeros(image.shape, bool)
    wall[:, :36] = True  # cuts the nodule's surroundings
    image[wall & (lesions == 0)] = 180
    nodule = cut_out(image, lesions, 1, image < 91, 2)
    there = np.full(nodule.mask.shape, 30, np.uint8)
    assert (there + nodule.change(there))[~nodule.mask].max() < 91


def test_nodules_without_lung_around_them_cannot_be_moved():
    image, lesions, _ = lung_with_nodule()
    assert cut_out(image, lesions, 1, np.zeros_like(lesions, bool), 2) is None
    corner = np.roll(lesions, (-30, 0), axis=(0, 1))
    assert cut_out(image, corner, 1, np.ones_like(lesions, bool), 2) is None

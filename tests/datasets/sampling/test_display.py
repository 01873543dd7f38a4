"""Windowing, resizing and rounding."""

import numpy as np
import pytest

from fplbench.datasets.sampling.display import content, coverage, to_eight_bit


def test_a_window_maps_its_ends_to_0_and_255_and_clips_beyond():
    values = np.array([[-2000, -1000], [400, 3000]], np.float32)
    assert to_eight_bit(values, (-1000, 400), 2).tolist() == [[0, 0], [255, 255]]


def test_grey_levels_lead_back_to_the_values_within_half_a_level():
    values = np.linspace(-160, 240, 400, dtype=np.float32).reshape(20, 20)
    grey = to_eight_bit(values, (-160, 240), 20)
    assert np.abs(-160 + grey / 255 * 400 - values).max() <= 0.5 * 400 / 255 + 1e-4


def test_halves_round_to_even():
    values = np.array([[0.5, 1.5], [2.5, 3.5]], np.float32)
    assert to_eight_bit(values, (0, 255), 2).tolist() == [[0, 2], [2, 4]]


def test_shrinking_averages_areas():
    random = np.random.default_rng(0)
    values = random.integers(0, 256, (64, 64)).astype(np.float32)
    means = values.reshape(16, 4, 16, 4).mean(axis=(1, 3))
    assert np.array_equal(to_eight_bit(values, (0, 255), 16), np.rint(means))


def test_shrinking_by_a_fraction_keeps_the_mean():
    values = np.random.default_rng(1).uniform(0, 255, (512, 512)).astype(np.float32)
    assert to_eight_bit(values, (0, 255), 96).mean() == pytest.approx(values.mean(), abs=0.1)


def test_what_is_outside_the_window_is_clipped_before_the_average():
    values = np.array([[-3000, 255], [0, 255]], np.float32)
    assert to_eight_bit(np.kron(values, np.ones((8, 8))), (0, 255), 1).tolist() == [[128]]


@pytest.mark.parametrize("shape", [(10, 20), (20, 10)])
def test_an_image_that_is_not_square_is_centred_in_a_black_square(shape):
    grey = to_eight_bit(np.full(shape, 100, np.float32), (0, 100), 20)
    expected = np.zeros((20, 20))
    expected[tuple(slice((20 - side) // 2, (20 + side) // 2) for side in shape)] = 255
    assert np.array_equal(grey, expected)


def test_nan_is_black():
    assert to_eight_bit(np.array([[np.nan, 1]]), (0, 1), 2)[0].tolist()[0] == 0


def test_content_counts_pixels_above_five_per_cent_of_the_range():
    assert content(np.array([[0, 12], [13, 255]], np.uint8)) == 0.5


@pytest.mark.parametrize("shape", [(48, 48), (37, 60), (90, 64)])
@pytest.mark.parametrize("size", [16, 48, 96])
def test_the_coverage_of_a_mask_is_what_its_image_would_show(shape, size):
    mask = np.random.default_rng(0).random(shape) > 0.6
    assert np.abs(255 * coverage(mask, size) - to_eight_bit(mask, (0, 1), size)).max() <= 0.5 + 1e-3


def test_coverage_is_the_share_of_the_area():
    mask = np.zeros((6, 6), bool)
    mask[1:3, 0:4] = True
    assert coverage(mask, 3).tolist() == [[0.5, 0.5, 0], [0.5, 0.5, 0], [0, 0, 0]]
    wide = np.ones((2, 4), bool)  # padded by a row on either side
    assert coverage(wide, 4).tolist() == [[0] * 4, [1] * 4, [1] * 4, [0] * 4]

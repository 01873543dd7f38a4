"""The noise of clean images, against noise of known strength."""

import numpy as np
import pytest
import pywt

from fplbench.applying.quality.noise import noise_of, whole_places
from fplbench.datasets.reference_noise import fine_detail, flatness, mean_slope, reference_noise


def body(side=256):
    """A smooth bright disc in air: two thirds of the pixels are zero, as in a CT slice."""
    y, x = np.mgrid[:side, :side] / side
    disc = 120 + 60 * np.sin(10 * x) * np.cos(8 * y)
    return np.where((x - 0.5) ** 2 + (y - 0.5) ** 2 < 0.33**2, disc, 0)


def noisy(clean, deviation, seed=0):
    return np.rint(np.clip(clean + np.random.default_rng(seed).normal(0, deviation, clean.shape), 0, 255)).astype(np.uint8)


@pytest.mark.parametrize("deviation", [1.5, 2.8, 10, 15])
def test_gaussian_noise_is_found_within_five_per_cent(deviation):
    """Rounding to grey levels adds a variance of 1/12."""
    images = [noisy(body(), deviation, seed) for seed in range(5)]
    assert reference_noise(np.stack(images)) == pytest.approx(np.hypot(deviation, 12**-0.5), rel=0.05)


def test_the_detail_is_the_diagonal_one_of_the_wavelet_transform():
    """At every second place along rows and columns, it is that of PyWavelets, which runs through images backwards."""
    image = np.random.default_rng(0).normal(100, 10, (70, 50)).astype(np.float32)
    expected = pywt.dwt2(image[::-1, ::-1].astype(np.float64), "db2", mode="zero")[1][2]
    found = fine_detail(image)[::-1, ::-1][1::2, 1::2]
    assert found[1:-1, 1:-1] == pytest.approx(expected[2:-1, 2:-1], abs=1e-4)


def test_air_without_noise_does_not_count():
    """Only the body is noisy; a median over all pixels would be zero."""
    clean = body()
    images = [np.where(clean > 0, noisy(clean, 10, seed), 0).astype(np.uint8) for seed in range(5)]
    assert reference_noise(images) == pytest.approx(10, rel=0.05)


@pytest.mark.parametrize("level", [1, 25, 250])
def test_a_fill_with_any_value_does_not_count(level):
    """As outside the field of view of a CT, when the window reaches below the value there."""
    clean = body()
    images = [np.where(clean > 0, noisy(clean, 10, seed), level).astype(np.uint8) for seed in range(5)]
    assert reference_noise(images) == pytest.approx(10, rel=0.05)
    assert np.isnan(reference_noise([np.full((256, 256), level, np.uint8)]))


def test_noise_that_is_cut_off_at_white_does_not_count():
    clean = body()
    clean[60:190, 60:100] = 255
    assert reference_noise([noisy(clean, 10, seed) for seed in range(5)]) == pytest.approx(10, rel=0.06)


def test_an_edge_through_the_image_adds_little():
    clean = body()
    clean[:, 128:] *= 0.6
    assert reference_noise([noisy(clean, 10, seed) for seed in range(5)]) == pytest.approx(10, rel=0.06)


def test_a_ramp_has_none():
    y, x = np.mgrid[:64, :64].astype(np.uint8)
    assert reference_noise([1 + y + 2 * x]) == pytest.approx(0, abs=1e-4)


def test_the_median_over_images_counts():
    images = [noisy(body(), deviation) for deviation in (2, 10, 40)]
    assert reference_noise(images) == pytest.approx(10, rel=0.06)


def test_images_without_an_unclipped_area_are_passed_over():
    black, tiny = np.zeros((256, 256), np.uint8), np.full((4, 4), 7, np.uint8)
    assert np.isnan(reference_noise([black, tiny])) and np.isnan(reference_noise([]))
    assert reference_noise([black, noisy(body(), 10), tiny]) == pytest.approx(10, rel=0.06)


def test_the_noise_of_a_tissue_that_fills_an_image_is_that_of_the_image():
    """Both leave out the lowest and the highest value as cut off."""
    image = 100 + 20 * np.sin(np.arange(120) / 20)[:, None] * np.cos(np.arange(130) / 20)
    image = np.rint(image + np.random.default_rng(3).normal(0, 6, image.shape)).astype(np.uint8)
    image[0, :2] = 0, 255
    grey = image.astype(np.float32)
    places = whole_places(grey, np.full(image.shape, 255, np.uint8))
    found = noise_of((fine_detail(grey),), mean_slope(flatness(grey).slope), places)
    assert found[0] == pytest.approx(reference_noise([image]), rel=1e-6)

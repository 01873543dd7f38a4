import math

import numpy as np
import pytest

from fplbench.scoring.body import body_mask, body_psnr, body_ssim
from fplbench.scoring.metrics import ssim
from fplbench.scoring.pair import Pair, Reference

WINDOWS = {"lung": (-1000.0, 400.0), "liver": (-160.0, 240.0)}
ROWS, COLUMNS = np.ogrid[:96, :96]


def ellipse(row, column, height, width):
    return ((ROWS - row) / height) ** 2 + ((COLUMNS - column) / width) ** 2 <= 1


BODY = ellipse(42, 48, 30, 40)


def thorax():
    """HU of a slice: fat around muscle, two lungs with a vessel, a bubble of gas, and a couch below."""
    hu = np.full((96, 96), -1000.0)
    hu[BODY] = -100
    hu[ellipse(42, 48, 26, 36)] = 50
    for column in (32, 64):
        hu[ellipse(42, column, 16, 10)] = -850
        hu[ellipse(42, column, 2, 2)] = 40
    hu[ellipse(64, 48, 2, 2)] = -1000
    hu[80:83, 10:86] = 100
    return hu


def windowed(hu, window):
    low, high = window
    return np.clip(np.rint(255 * (hu - low) / (high - low)), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS)
def test_the_body_has_the_lungs_and_not_the_couch(window):
    hu = thorax() + np.random.default_rng(0).normal(0, 15, (96, 96))
    np.testing.assert_array_equal(body_mask(windowed(hu, window), window), BODY)


def test_in_the_lung_window_tissue_starts_half_way_between_air_and_water():
    for value, found in ((-510, False), (-490, True)):
        assert body_mask(windowed(np.full((16, 16), value), WINDOWS["lung"]), WINDOWS["lung"]).all() == found


def test_the_lungs_of_a_radiograph_are_in_the_body_although_the_skin_beside_them_is_as_dark():
    image = np.zeros((96, 96), np.uint8)
    image[:, 12:84] = 70  # skin and chest wall, down to the lower border
    image[:, 20:76] = 190
    image[20:70, 14:40] = image[20:70, 56:82] = 75  # lungs that reach the chest wall
    noisy = np.clip(image + np.random.default_rng(0).normal(0, 4, image.shape), 0, 255).astype(np.uint8)
    expected = np.zeros(image.shape, bool)
    expected[:, 12:84] = True
    np.testing.assert_array_equal(body_mask(noisy), expected)


def test_two_grey_levels_are_told_apart_without_a_window():
    image = np.full((8, 8), 3, np.uint8)
    image[2:5, 2:6] = 9
    np.testing.assert_array_equal(body_mask(image), image == 9)


def test_errors_outside_the_body_do_not_count():
    clean = windowed(thorax(), WINDOWS["lung"])
    denoised = clean.copy()
    denoised[90:, :] = 200
    pair = Pair(Reference(clean, WINDOWS["lung"]), denoised)
    assert body_psnr(pair) == math.inf
    assert body_ssim(pair) == 1.0
    denoised = np.where(BODY, clean - 10, 255).astype(np.uint8)  # the fat has level 164, the lungs 27
    denoised[ellipse(64, 48, 2, 2)] = 10  # gas has level 0, and is also 10 away from the truth
    assert body_psnr(Pair(Reference(clean, WINDOWS["lung"]), denoised)) == pytest.approx(20 * math.log10(25.5), abs=1e-12)


def test_where_everything_is_body_the_scores_are_those_of_the_image():
    rng = np.random.default_rng(1)
    clean, denoised = rng.integers(150, 256, (2, 24, 30), dtype=np.uint8)
    assert body_ssim(Pair(Reference(clean, WINDOWS["lung"]), denoised)) == pytest.approx(ssim(clean, denoised), abs=1e-14)


@pytest.mark.parametrize("window", [None, WINDOWS["liver"]])
def test_an_image_without_a_body_has_no_score(window):
    black = np.zeros((16, 16), np.uint8)
    pair = Pair(Reference(black, window), black + np.uint8(3))
    assert not body_mask(black, window).any()
    assert math.isnan(body_psnr(pair)) and math.isnan(body_ssim(pair))

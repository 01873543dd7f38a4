"""Artefacts of k-space, compared with theorems of the Fourier transform."""

import numpy as np
import pytest

from fplbench.errors import InputError
from fplbench.noise import synthesize


def energy(images):
    return np.square(images, dtype=np.float64).sum(axis=(1, 2))


def test_wrap_around_of_half_the_field_of_view_is_a_roll(phantom):
    noisy = synthesize("wrap_around", phantom * 0.5, seed=1, strength=0.3, field_of_view=0.5)
    direct = phantom * 0.5 + np.float32(0.3) * np.roll(phantom * 0.5, 48, axis=1)
    np.testing.assert_allclose(noisy, direct, atol=1e-7)


@pytest.mark.parametrize("period", [40, 60, 73])
def test_wrap_around_is_the_direct_fold(period, phantom):
    noisy = synthesize("wrap_around", phantom * 0.3, seed=1, strength=1, field_of_view=period / 96)
    folded = np.zeros((2, period, 80))
    for row in range(96):
        folded[:, row % period] += phantom[:, row] * 0.3
    np.testing.assert_allclose(noisy, np.stack([folded[:, row % period] for row in range(96)], 1), atol=1e-6)


def test_wrap_around_is_what_skipping_every_other_line_of_k_space_gives(phantom):
    every_other_line = np.fft.fft(phantom * 0.5, axis=1)[:, ::2]
    aliased = np.fft.ifft(every_other_line, axis=1)
    noisy = synthesize("wrap_around", phantom * 0.5, seed=1, strength=1, field_of_view=0.5)
    np.testing.assert_allclose(noisy[:, :48], aliased.real, atol=1e-6)


EVERYTHING_IS_FAT = {"fat": [0.0, 1.0]}
TISSUE = {"fat": [0.6, 0.7], "edge": 0.03}


@pytest.mark.parametrize("shift", [1, 3])
def test_fat_moves_by_whole_pixels(shift, phantom):
    noisy = synthesize("chemical_shift", phantom, seed=1, shift=shift, **EVERYTHING_IS_FAT)
    np.testing.assert_allclose(noisy, np.roll(phantom, shift, axis=2), atol=2e-6)


def test_water_stays_where_it_is():
    image = np.zeros((1, 32, 64), np.float32)
    image[:, 8:24, 8:24], image[:, 8:24, 40:56] = 0.9, 0.65  # water, fat
    noisy = synthesize("chemical_shift", image, seed=1, shift=4, **TISSUE)
    expected = image.copy()
    expected[:, 8:24, 40:44], expected[:, 8:24, 56:60] = 0, 0.65
    # The median and the opening, which keep out noise and partial volumes, round the corners of the fat.
    np.testing.assert_allclose(noisy[:, 10:22], expected[:, 10:22], atol=2e-6)


def test_a_fractional_shift_keeps_the_energy_and_moves_the_centre():
    y, x = np.mgrid[:64, :96]
    blob = 0.8 * np.exp(-((x - 45) ** 2 + (y - 30) ** 2) / 40).astype(np.float32)[None]
    noisy = synthesize("chemical_shift", blob, seed=1, shift=2.3, **EVERYTHING_IS_FAT)
    np.testing.assert_allclose(energy(noisy), energy(blob), rtol=1e-5)  # Parseval
    np.testing.assert_allclose((noisy * x).sum() / noisy.sum() - (blob * x).sum() / blob.sum(), 2.3, atol=1e-3)


@pytest.mark.parametrize(("tesla", "hertz"), [(1.5, 223.53), (3, 447.06), (7, 1043.14)])
def test_the_shift_follows_from_field_strength_and_bandwidth(tesla, hertz, phantom):
    # 3.5 ppm of 42.577 MHz/T are 149.02 Hz/T.
    physical = synthesize("chemical_shift", phantom, seed=1, shift=None, field_strength=tesla, bandwidth=hertz)
    assert np.abs(physical - phantom).max() > 0.1
    np.testing.assert_allclose(physical, synthesize("chemical_shift", phantom, seed=1, shift=1.0), atol=1e-4)


def test_fat_that_leaves_the_image_does_not_return_on_the_other_side():
    image = np.zeros((1, 32, 64), np.float32)
    image[:, :, 56:] = 0.65
    noisy = synthesize("chemical_shift", image, seed=1, shift=3, **EVERYTHING_IS_FAT)
    assert noisy[:, :, :40].max() < 1e-5


@pytest.mark.parametrize("shift", [1.4, 2.5])
def test_no_seam_where_fat_reaches_a_border(shift):
    """Fat is continued by its mirror image, so that a body of nothing but fat does not change, up to the last column."""
    flat = np.full((1, 16, 64), 0.65, np.float32)
    np.testing.assert_allclose(synthesize("chemical_shift", flat, seed=1, shift=shift, **EVERYTHING_IS_FAT), flat, atol=1e-6)
    flat[:, :, :30] = 0
    noisy = synthesize("chemical_shift", flat, seed=1, shift=shift, **EVERYTHING_IS_FAT)
    # A displaced edge rings with at most its height / (pi times the distance).
    np.testing.assert_allclose(noisy[:, :, -1], 0.65, atol=0.65 / (np.pi * 30))
    np.testing.assert_allclose(noisy[:, :, 0], 0, atol=0.65 / (np.pi * 30))


def test_the_window_determines_the_grey_values_of_fat(phantom):
    # -140 and -50 HU in the window [-160, 240] are the grey values 0.05 and 0.275, and 30 HU are 0.075.
    by_window = synthesize("chemical_shift", phantom, seed=1, window=[-160, 240])
    by_value = synthesize("chemical_shift", phantom, seed=1, fat=[0.05, 0.275], edge=0.075)
    np.testing.assert_allclose(by_window, by_value, atol=1e-6)


def test_noise_neither_creates_nor_hides_fat():
    noise = np.random.default_rng(0).normal(0, 0.05, (1, 64, 64)).astype(np.float32)
    # A median over 25 pixels has a standard deviation of 1.25 * 0.05 / 5 = 0.0125. Water and fat are six and four of these
    # away from the ends of the band, whereas single pixels are one and a half and one of theirs away.
    water, fat = 0.805 + noise, 0.65 + noise
    assert np.abs(synthesize("chemical_shift", water.clip(0, 1), seed=1, shift=2, **TISSUE) - water.clip(0, 1)).max() < 1e-6
    moved = synthesize("chemical_shift", fat, seed=1, shift=2, **TISSUE)
    assert (np.abs(moved - np.roll(fat, 2, axis=2))[:, :, 2:] < 1e-4).mean() > 0.98


def test_a_soft_band_shows_no_contour():
    """On a ramp through all grey values, as in radiographs, the default band changes them smoothly."""
    ramp = np.tile(np.linspace(0, 1, 256, dtype=np.float32), (1, 16, 1))
    change = synthesize("chemical_shift", ramp, seed=1, shift=4) - ramp
    # The slope of the fat signal is at most 1 + 1 / edge = 3.2, so a shift by 4 of 255 pixels changes it by at most 0.05.
    assert np.abs(change).max() < 0.05


def test_an_empty_band_is_refused(phantom):
    with pytest.raises(InputError, match=r"fat is \[0.7, 0.6\]"):
        synthesize("chemical_shift", phantom, seed=1, fat=[0.7, 0.6])

"""Artefacts of k-space against the theorems of the Fourier transform."""

import numpy as np
import pytest

from fplbench.errors import InputError
from fplbench.noise import synthesize
from fplbench.noise.motion import _poses, _recorded_while_moving, _rotated


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


@pytest.mark.parametrize("shift", [1, 3])
def test_fat_moves_by_whole_pixels(shift, phantom):
    noisy = synthesize("chemical_shift", phantom, seed=1, shift=shift, **EVERYTHING_IS_FAT)
    np.testing.assert_allclose(noisy, np.roll(phantom, shift, axis=2), atol=2e-6)


def test_water_stays_where_it_is():
    image = np.zeros((1, 32, 64), np.float32)
    image[:, 8:24, 8:24], image[:, 8:24, 40:56] = 0.9, 0.65  # water, fat
    noisy = synthesize("chemical_shift", image, seed=1, shift=4, fat=[0.6, 0.7])
    expected = image.copy()
    expected[:, 8:24, 40:44], expected[:, 8:24, 56:60] = 0, 0.65
    # The corners of the fat are rounded by the opening that keeps partial volumes out.
    np.testing.assert_allclose(noisy[:, 9:23], expected[:, 9:23], atol=2e-6)


def test_a_fractional_shift_keeps_the_energy_and_moves_the_centre():
    y, x = np.mgrid[:64, :96]
    blob = 0.8 * np.exp(-((x - 45) ** 2 + (y - 30) ** 2) / 40).astype(np.float32)[None]
    noisy = synthesize("chemical_shift", blob, seed=1, shift=2.3, **EVERYTHING_IS_FAT)
    np.testing.assert_allclose(energy(noisy), energy(blob), rtol=1e-5)  # Parseval
    np.testing.assert_allclose((noisy * x).sum() / noisy.sum() - (blob * x).sum() / blob.sum(), 2.3, atol=1e-3)


def test_the_shift_follows_from_field_strength_and_bandwidth(phantom):
    # 3.5 ppm of 42.577 MHz/T * 1.5 T are 223.5 Hz.
    physical = synthesize("chemical_shift", phantom, seed=1, shift=None, field_strength=1.5, bandwidth=223.53)
    assert np.abs(physical - phantom).max() > 0.1
    np.testing.assert_allclose(physical, synthesize("chemical_shift", phantom, seed=1, shift=1.0), atol=1e-4)


def test_fat_that_leaves_the_image_does_not_come_back_on_the_other_side():
    image = np.zeros((1, 32, 64), np.float32)
    image[:, :, 56:] = 0.65
    noisy = synthesize("chemical_shift", image, seed=1, shift=3, **EVERYTHING_IS_FAT)
    assert noisy[:, :, :40].max() < 1e-5


def test_the_window_places_fat(phantom):
    # -140 and -50 HU in the window [-160, 240] are the grey values 0.05 and 0.275.
    by_window = synthesize("chemical_shift", phantom, seed=1, window=[-160, 240])
    np.testing.assert_allclose(by_window, synthesize("chemical_shift", phantom, seed=1, fat=[0.05, 0.275]), atol=1e-6)


def test_an_empty_band_is_named(phantom):
    with pytest.raises(InputError, match=r"fat is \[0.7, 0.6\]"):
        synthesize("chemical_shift", phantom, seed=1, fat=[0.7, 0.6])


def test_translations_during_the_scan_keep_the_energy(phantom):
    image = 0.2 + 0.4 * phantom  # far from 0 and 1, so that nothing is clipped
    noisy = synthesize("motion", image, seed=1, moves=4, shift=5, rotation=0)
    assert np.abs(noisy - image).max() > 0.05
    assert noisy.max() < 1
    np.testing.assert_allclose(energy(noisy), energy(image), rtol=1e-5)  # Parseval


def test_a_movement_before_the_scan_is_a_shift(phantom):
    all_lines_moved = np.ones(96, int)
    moved = _recorded_while_moving(phantom[0], all_lines_moved, np.array([[3.0, -5.0]]), np.array([0.0]))
    np.testing.assert_allclose(moved, np.roll(phantom[0], (3, -5), axis=(0, 1)), atol=2e-6)


def test_rotation_is_about_the_centre():
    image = np.random.default_rng(0).random((33, 33), np.float32)
    np.testing.assert_allclose(_rotated(image, 90), np.rot90(image), atol=1e-5)


def test_lines_around_zero_belong_to_the_first_pose():
    poses = np.fft.fftshift(_poses(100, np.array([10, 45, 48]), centre=0.1))
    assert list(poses[:11]) == [0] * 10 + [1]
    assert set(poses[46:55]) == {0}
    assert poses[99] == 3

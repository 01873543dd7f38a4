"""Movements during the scan: theorems of the Fourier transform, and borders of the image."""

import numpy as np
from scipy.ndimage import gaussian_filter

from fplbench.noise import synthesize
from fplbench.noise.motion import _poses, _recorded_while_moving, _rotated


def energy(images):
    return np.square(images, dtype=np.float64).sum(axis=(1, 2))


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


def test_the_transform_along_the_readout_cancels(phantom):
    """The lines of the whole two-dimensional spectrum, each in its pose, give the same image."""
    poses = _poses(96, np.array([20, 60]), centre=0.1)
    displacements, angles = np.array([[2.3, -1.7], [-3.1, 4.2]]), np.array([4.0, 0.0])
    image = gaussian_filter(phantom[0], 1.5)  # without the highest frequency, whose fraction of a shift is ambiguous
    spectrum = np.fft.fft2(image)
    ky, kx = np.fft.fftfreq(96)[:, None], np.fft.fftfreq(80)
    for pose, ((down, right), angle) in enumerate(zip(displacements, angles, strict=True), start=1):
        moved = np.fft.fft2(_rotated(image, angle)) * np.exp(-2j * np.pi * (ky * down + kx * right))
        spectrum[poses == pose] = moved[poses == pose]
    # Both borders are air, so that it does not matter that this reference wraps around.
    measured = _recorded_while_moving(image, poses, displacements, angles)
    np.testing.assert_allclose(measured, np.abs(np.fft.ifft2(spectrum)), atol=1e-5)


def test_nothing_wraps_along_the_readout():
    image = np.zeros((20, 64, 128), np.float32)
    image[:, :, :20] = 0.7
    noisy = synthesize("motion", image, seed=2, moves=3, shift=6, rotation=0, centre=0)
    assert np.abs(noisy - image).max() > 0.3
    # A displaced edge rings with at most its height / (pi times the distance).
    assert noisy[:, :, -20:].max() < 0.7 / (np.pi * (128 - 20 - 6 - 20))
    np.testing.assert_allclose(noisy[:, :, 0], 0.7, atol=0.7 / (np.pi * (20 - 6)))


def test_what_leaves_along_the_phase_encoding_appears_on_the_other_side():
    image = np.zeros((32, 48), np.float32)
    image[:4] = 0.7
    moved = _recorded_while_moving(image, np.ones(32, int), np.array([[-3.0, 0.0]]), np.array([0.0]))
    np.testing.assert_allclose(moved, np.roll(image, -3, axis=0), atol=1e-6)

"""Flips: where the registry allows one, the flipped pair of clean and noisy image is a draw of the same model."""

import numpy as np
import pytest

from fplbench.noise import NOISES, synthesize
from fplbench.noise.fields import Cylinder, _distorted
from fplbench.noise.motion import _recorded_while_moving
from fplbench.noise.projections import project, reconstruct
from fplbench.noise.recording import wave, with_ghosts

AXES = {"horizontal": 2, "vertical": 1}
# Noises that treat every pixel alike and independently: any permutation of the pixels is allowed.
PIXELWISE = {
    "gaussian", "impulse", "noncentral_chi", "poisson", "rayleigh", "rician", "salt_pepper", "speckle", "thermal",
}  # fmt: skip
# Noises that are functions of the image if their options are numbers.
DETERMINISTIC = {
    "chemical_shift": {"shift": 3.3},
    "gibbs": {"kept": 0.4},
    "wrap_around": {"strength": 0.3, "field_of_view": 0.37},
}
# Fields and patterns whose coefficients have distributions that do not change with their sign or with the phase.
RANDOM_FIELDS = {"magnetic_field", "structured"}
MOVED = {"motion", "susceptibility"}
# Noise of projections, whose angles are at equal distances over half a turn, as are those of their mirror images.
PROJECTED = {"low_dose_ct"}
# Faults in k-space, at random samples or lines.
RECORDED = {"ghosting", "spike"}
# Pairs, of which clean and noisy image are both given: they are flipped together.
ACQUIRED = {"as_acquired"}


@pytest.fixture(scope="module")
def image():
    """One image without symmetry, with odd sides, float32 (1, 45, 51)."""
    y, x = np.mgrid[:45, :51].astype(np.float32)
    blobs = np.exp(-((y - 15) ** 2 + (x - 18) ** 2) / 60) + 0.5 * np.exp(-((y - 30) ** 2) / 20 - (x - 35) ** 2 / 90)
    return (0.1 + 0.5 * blobs)[None]


def test_every_noise_is_tested_here():
    assert {*PIXELWISE, *DETERMINISTIC, *RANDOM_FIELDS, *MOVED, *PROJECTED, *RECORDED, *ACQUIRED} == set(NOISES)


@pytest.mark.parametrize("name", sorted(set(NOISES) - {"chemical_shift"}))
def test_both_flips_are_allowed_but_for_the_chemical_shift(name):
    assert NOISES[name].flips == ("horizontal", "vertical")


@pytest.mark.parametrize("flip", AXES)
@pytest.mark.parametrize("name", DETERMINISTIC)
def test_a_deterministic_noise_commutes_with_the_flips_that_are_allowed_and_with_no_others(name, flip, image):
    flipped = np.flip(image, AXES[flip])
    one, other = (
        synthesize(name, flipped, seed=1, **DETERMINISTIC[name]),
        np.flip(synthesize(name, image, seed=1, **DETERMINISTIC[name]), AXES[flip]),
    )
    assert np.allclose(one, other, atol=1e-5) == (flip in NOISES[name].flips)


@pytest.mark.parametrize("flip", AXES)
def test_motion_of_the_flipped_image_is_the_opposite_motion(flip, image):
    """A real image has F(-k) = conj F(k), so reversing the order of the lines does not change the magnitude image."""
    poses = np.fft.ifftshift(np.repeat([0, 1, 2, 0, 2], 9))
    displacements, angles = np.array([[2.3, -3.1], [-1.2, 4.4]]), np.zeros(2)
    sign = [1, -1] if flip == "horizontal" else [-1, 1]
    expected = np.flip(_recorded_while_moving(image[0], poses, displacements, angles), AXES[flip] - 1)
    flipped = np.flip(image[0], AXES[flip] - 1)
    mirrored = _recorded_while_moving(flipped, poses, displacements * sign, angles)
    np.testing.assert_allclose(mirrored, expected, atol=1e-6)


@pytest.mark.parametrize("flip", AXES)
@pytest.mark.parametrize("first", [0, 1, 2])
def test_the_same_lines_give_the_flipped_image_flipped_ghosts(flip, first, image):
    axis = AXES[flip] - 1
    expected = np.flip(with_ghosts(image[0], 3, first, 0.8), axis)
    np.testing.assert_allclose(with_ghosts(np.flip(image[0], axis), 3, first, 0.8), expected, atol=1e-6)


@pytest.mark.parametrize("flip", AXES)
def test_a_flipped_wave_is_that_of_another_sample_with_another_phase(flip):
    down, across, phase = 7, 11, 0.4
    flipped = np.flip(wave((45, 51), down, across, phase), AXES[flip] - 1)
    if flip == "vertical":
        other = wave((45, 51), 45 - down, across, phase + 2 * np.pi * down * 44 / 45)
    else:
        other = wave((45, 51), down, 51 - across, phase + 2 * np.pi * across * 50 / 51)
    np.testing.assert_allclose(flipped, other, atol=1e-5)


@pytest.mark.parametrize("flip", AXES)
def test_distortion_of_the_flipped_image_is_that_of_mirrored_sources(flip, image):
    """cos 2t is even in both directions; displacements to the right become ones to the left, of sources of opposite sign."""
    down, across = (44, 0) if flip == "vertical" else (0, 50)
    sources = [Cylinder(14.2, 20.7, 4.5, 5.0), Cylinder(31.4, 33.1, 6.0, -8.0)]
    mirrored = [
        each._replace(
            row=abs(down - each.row), column=abs(across - each.column), shift=each.shift * (-1 if flip == "horizontal" else 1)
        )
        for each in sources
    ]
    expected = np.flip(_distorted(image[0], sources, 0.5), AXES[flip] - 1)
    np.testing.assert_allclose(_distorted(np.flip(image[0], AXES[flip] - 1), mirrored, 0.5), expected, atol=2e-4)


@pytest.mark.parametrize("flip", AXES)
def test_projections_of_the_flipped_image_are_the_same_rays_in_another_order(flip, image):
    square = np.pad(image[0], ((3, 3), (0, 0)))
    sums, mirrored = project(square, 24), project(np.ascontiguousarray(np.flip(square, AXES[flip] - 1)), 24)
    # A mirrored angle is half a turn minus the angle; half a turn itself is the angle 0 with the rays in reverse order.
    order = (-np.arange(24)) % 24
    expected = sums[order] if flip == "horizontal" else sums[order, ::-1]
    expected[0] = sums[0, ::-1] if flip == "horizontal" else sums[0]
    np.testing.assert_allclose(mirrored, expected, atol=1e-3)
    noise = np.random.default_rng(0).normal(size=sums.shape).astype(np.float32)
    same = noise[order] if flip == "horizontal" else noise[order, ::-1]
    same[0] = noise[0, ::-1] if flip == "horizontal" else noise[0]
    flipped = np.flip(reconstruct(noise), AXES[flip] - 1)
    np.testing.assert_allclose(reconstruct(same), flipped, atol=1e-5 * np.abs(flipped).max())


@pytest.mark.parametrize("flip", AXES)
@pytest.mark.parametrize(("name", "options"), [("magnetic_field", {}), ("structured", {"amplitude": 0.05, "rings": 0.5})])
def test_the_mean_and_the_covariance_of_a_random_field_do_not_change_with_a_flip(name, options, flip):
    """Moments of the field in a corner and in its mirror image, over 2,000 draws."""
    flat = np.full((2000, 15, 17), 0.5, np.float32)
    change = synthesize(name, flat, seed=4, **options).astype(float) - 0.5
    corner = change[:, :3, :3].reshape(2000, -1)
    mirrored = np.flip(change, AXES[flip])[:, :3, :3].reshape(2000, -1)
    scale = corner.std(axis=0)
    # The standard error of a mean of n values is s / sqrt(n); that of a covariance at most s^2 sqrt(k / n), with kurtosis k.
    assert np.abs((corner.mean(axis=0) - mirrored.mean(axis=0)) / scale).max() < 5 * np.sqrt(2 / 2000)
    covariances = [np.cov(each.T) / np.outer(scale, scale) for each in (corner, mirrored)]
    kurtosis = np.mean((change / change.std()) ** 4)
    assert np.abs(covariances[0] - covariances[1]).max() < 5 * np.sqrt(2 * kurtosis / 2000)

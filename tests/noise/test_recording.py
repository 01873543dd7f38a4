"""Faults in k-space, compared with theorems of the Fourier transform."""

import numpy as np
import pytest
from scipy.special import sici

from fplbench.noise import synthesize
from fplbench.noise.recording import with_ghosts


@pytest.mark.parametrize("seed", range(6))
def test_a_spike_adds_one_wave_of_a_frequency_of_the_grid(seed):
    """With y = | x + a exp(i w) |, (y^2 - x^2 - a^2) / (2 a x) is cos w: a sample of k-space and its mirror image, half each."""
    flat = np.full((1, 40, 54), 0.5, np.float32)
    noisy = synthesize("spike", flat, seed=seed, spikes=1, strength=0.2).astype(float)[0]
    cosine = (noisy**2 - 0.5**2 - 0.2**2) / (2 * 0.2 * 0.5)
    spectrum = np.abs(np.fft.fft2(cosine)) / cosine.size
    first, second = np.argwhere(spectrum > 1e-4)
    assert ((first + second) % (40, 54) == 0).all() and (first != 0).any()
    np.testing.assert_allclose([spectrum[tuple(first)], spectrum[tuple(second)]], 0.5, atol=1e-5)
    assert np.sort(spectrum.ravel())[-3] < 1e-5


def test_spikes_are_anywhere_in_k_space():
    flat = np.full((400, 16, 16), 0.5, np.float32)
    noisy = synthesize("spike", flat, seed=2, spikes=1, strength=0.2).astype(float)
    power = np.abs(np.fft.fft2(noisy**2)) ** 2
    power[:, 0, 0] = 0
    places = np.argmax(power.reshape(400, -1), axis=1)
    frequency = np.abs(np.fft.fftfreq(16))
    # 255 samples are equally likely; 127 of the first axis have a frequency of a quarter or more, with a share of 9 / 16.
    share = np.mean(frequency[places // 16] >= 0.25)
    assert share == pytest.approx(9 * 16 / 255, abs=4 * np.sqrt(0.25 / 400))


def test_spikes_add_up_and_a_black_image_shows_the_magnitude_of_their_sum():
    black = np.zeros((1, 32, 32), np.float32)
    assert np.allclose(synthesize("spike", black, seed=1, spikes=1, strength=0.3), 0.3, atol=1e-6)
    two = synthesize("spike", black, seed=1, spikes=2, strength=0.3).astype(float)[0]
    # | exp(i u) + exp(i v) |^2 = 2 + 2 cos(u - v), whose mean is 2 and whose largest value is at most 4.
    assert np.mean(two**2) == pytest.approx(2 * 0.09, rel=1e-4) and two.max() <= 0.6 + 1e-6


@pytest.mark.parametrize("interval", [2, 3, 4, 6])
@pytest.mark.parametrize("first", [0, 1])
def test_ghosts_are_copies_at_multiples_of_the_height_over_the_interval(interval, first, phantom):
    image = phantom[0].astype(float)  # 96 rows
    expected = image.astype(complex)
    for order in range(interval):
        ghost = np.roll(image, -order * 96 // interval, axis=0)
        expected -= 0.6 / interval * np.exp(-2j * np.pi * order * first / interval) * ghost
    np.testing.assert_allclose(with_ghosts(phantom[0], interval, first, 0.6), np.abs(expected), atol=1e-6)


def test_ghosts_lie_along_the_phase_encoding_where_the_image_is_black():
    image = np.zeros((1, 64, 64), np.float32)
    image[:, 10:16, 30:34] = 0.8
    noisy = synthesize("ghosting", image, seed=1, interval=4, strength=0.5)[0]
    for order in (1, 2, 3):
        np.testing.assert_allclose(noisy[(np.arange(10, 16) + 16 * order) % 64, 30:34], 0.8 * 0.5 / 4, atol=1e-6)
    noisy[:, 30:34] = 0
    assert noisy.max() < 1e-6


def test_the_phase_of_the_ghosts_is_drawn():
    image = np.zeros((30, 24, 8), np.float32)
    image[:, 4:20] = 0.5
    noisy = synthesize("ghosting", image, seed=3, interval=4, strength=0.9)
    assert len({each.tobytes() for each in noisy}) == 3  # the first weak line is 1, 2 or 3, but never 0


@pytest.mark.parametrize("kept", [0.2, 0.4, 0.75])
def test_no_frequency_outside_the_kept_band_is_left(kept, phantom):
    image = 0.3 + 0.4 * phantom  # far from 0 and 1, where magnitude and clipping would add frequencies
    before, after = (np.fft.fft2(each.astype(float)) for each in (image, synthesize("gibbs", image, seed=1, kept=kept)))
    down, across = (np.abs(np.fft.fftfreq(side) * side) for side in image.shape[1:])
    inside = (down[:, None] <= round(kept * 96 / 2)) & (across <= round(kept * 80 / 2))
    assert np.abs(after[:, ~inside]).max() < 1e-5 * np.abs(before).max()
    np.testing.assert_allclose(after[:, inside], before[:, inside], atol=1e-5 * np.abs(before).max())


@pytest.mark.parametrize("kept", [0.05, 0.1])
@pytest.mark.parametrize("axis", [1, 2])
def test_an_edge_overshoots_by_nine_per_cent_of_its_height(kept, axis):
    """The integral of sinc up to its first zero: Si(pi) / pi - 1/2 = 8.95 %, as long as few of the frequencies are kept."""
    image = np.full((1, 512, 512), 0.3, np.float32)
    np.moveaxis(image, axis, 0)[128:384] = 0.7
    noisy = synthesize("gibbs", image, seed=1, kept=kept)
    overshoot = sici(np.pi)[0] / np.pi - 0.5
    assert (noisy.max() - 0.7) / 0.4 == pytest.approx(overshoot, rel=0.03)
    assert (0.3 - noisy.min()) / 0.4 == pytest.approx(overshoot, rel=0.03)

"""The noise power spectrum of the quality page, against noise whose spectrum is known."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from fplbench.applying.quality.spectrum import detrended, frequencies, patch_spectra
from fplbench.applying.quality.summary import summarise_spectra
from tests.applying.quality.slices import SPACING, statistics, white, whole


def test_white_noise_has_a_flat_spectrum_whose_integral_is_its_variance():
    clean = np.full((200, 200), 40, np.float32)
    slices = [statistics(clean + white(12, clean.shape, seed), clean + white(4, clean.shape, 1000 + seed)) for seed in range(60)]
    found = summarise_spectra(slices, SPACING)
    assert found.patches == 480
    assert found.deviations == pytest.approx((12, 4), rel=0.02)
    mean = {name: np.mean([each["spectrum"][name] for each in slices], axis=0) for name in ("before", "after")}
    assert mean["before"] == pytest.approx(12**2 * 0.7**2, rel=0.06)
    assert mean["after"] == pytest.approx(4**2 * 0.7**2, rel=0.06)
    assert found.before == pytest.approx(12**2 * 0.7**2, rel=0.08)
    assert found.frequencies[-1] == pytest.approx(0.5 / 0.7)


def test_the_spectrum_of_blurred_noise_is_that_of_the_blur():
    """NPS = sigma^2 dx dy exp(-4 pi^2 s^2 f^2), which also says that flat patches are not those with little noise."""
    clean = np.full((200, 200), 40, np.float32)
    found = []
    for seed in range(40):
        noise = gaussian_filter(white(30, clean.shape, seed), 1, truncate=8)
        found.append(patch_spectra(clean + noise, clean, gaussian_filter(clean + noise, 2), whole((200, 200)), None)["before"])
    rings = frequencies(None)
    low = rings < 0.25
    expected = 30**2 * np.exp(-4 * np.pi**2 * rings[low] ** 2)
    assert np.mean(found, axis=0)[low] == pytest.approx(expected, rel=0.12)


def test_patches_with_edges_are_not_used():
    """Left of the middle there are stripes of 30 HU."""
    clean = np.full((256, 256), 40, np.float32)
    clean[:, :128] += 30 * (np.arange(128) // 8 % 2)
    before = clean + white(5, clean.shape)
    found = statistics(before, clean)["spectrum"]
    assert found["deviations"][0] == pytest.approx(5, rel=0.1)


def test_a_trend_of_the_second_order_is_subtracted():
    row, column = np.indices((32, 32))
    trend = 3 + 0.5 * row - 2 * column + 0.1 * row**2 - 0.03 * row * column + 0.2 * column**2
    assert detrended(trend[None]) == pytest.approx(np.zeros((1, 32, 32)), abs=1e-9)

"""Distributions of the noises that change each pixel independently, compared with scipy.stats."""

import numpy as np
import pytest
from scipy import stats

from fplbench.noise import synthesize

ALPHA = 1e-3  # a correct distribution fails for one seed in a thousand, and seeds are fixed


def assert_follows(values, law):
    assert stats.kstest(values, law.cdf).pvalue > ALPHA


@pytest.mark.parametrize("name", ["gaussian", "thermal"])
@pytest.mark.parametrize("x", [0.4, 0.5, 0.6])
def test_additive_noise_is_normal(name, x, flat):
    assert_follows(flat(name, x, sigma=0.06), stats.norm(x, 0.06))


def test_thermal_level_is_the_textbook_value(flat):
    # 50 ohm at 300 K: 0.910 nV per root hertz, so 91.0 nV in 10 kHz; full scale is one microvolt.
    values = flat("thermal", 0.5, sigma=None, temperature=300, resistance=50, bandwidth=1e4, full_scale=1e-6)
    low, high = stats.chi2(len(values) - 1).ppf([ALPHA / 2, 1 - ALPHA / 2])
    assert low < (len(values) - 1) * values.var(ddof=1) / 0.0910**2 < high


@pytest.mark.parametrize("x", [0.02, 0.1, 0.5])
def test_poisson_counts_have_their_distribution_at_all_grey_values(x, flat):
    counts = flat("poisson", x, photons=100.0) * 100
    assert np.abs(counts - counts.round()).max() < 1e-4
    law = stats.poisson(100 * np.float32(x))
    bins = np.unique(law.ppf(np.linspace(0.001, 0.999, 15)))
    observed = np.histogram(counts.round(), [-np.inf, *(bins + 0.5), np.inf])[0]
    expected = np.diff([0, *law.cdf(bins), 1]) * len(counts)
    assert stats.chisquare(observed, expected).pvalue > ALPHA


@pytest.mark.parametrize("x", [0.2, 0.5])
def test_gaussian_speckle_scales_with_the_grey_value(x, flat):
    assert_follows(flat("speckle", x, sigma=0.15), stats.norm(x, 0.15 * x))


@pytest.mark.parametrize("looks", [4, 16])
@pytest.mark.parametrize("x", [0.02, 0.1, 0.15])
def test_gamma_speckle_is_distributed_as_a_mean_over_looks(x, looks, flat):
    assert_follows(flat("speckle", x, sigma=looks**-0.5, law="gamma"), stats.gamma(looks, scale=x / looks))


@pytest.mark.parametrize("x", [0.02, 0.4, 0.9])
def test_salt_and_pepper_are_equally_frequent_and_leave_the_rest(x):
    image = np.full((1, 256, 256), x, np.float32)
    noisy = synthesize("salt_pepper", image, seed=2, density=0.1)
    salt, pepper = int((noisy == 1).sum()), int((noisy == 0).sum())
    assert stats.binomtest(salt, noisy.size, 0.05).pvalue > ALPHA
    assert stats.binomtest(pepper, noisy.size, 0.05).pvalue > ALPHA
    assert (noisy == image).sum() == noisy.size - salt - pepper


@pytest.mark.parametrize("x", [0.02, 0.4, 0.9])
def test_impulses_are_uniform_and_leave_the_rest(x):
    image = np.full((1, 256, 256), x, np.float32)
    noisy = synthesize("impulse", image, seed=2, density=0.2)
    hit = noisy[noisy != image].astype(float)
    assert stats.binomtest(hit.size, noisy.size, 0.2).pvalue > ALPHA
    assert_follows(hit, stats.uniform())


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("gaussian", {"sigma": 0.05}), ("thermal", {"sigma": 0.05}), ("poisson", {}), ("speckle", {}),
        ("rician", {"sigma": 0.05}), ("rayleigh", {"sigma": 0.05}), ("noncentral_chi", {"sigma": 0.05}),
        ("salt_pepper", {}), ("impulse", {}),
    ],
)  # fmt: skip
def test_neighbouring_pixels_are_uncorrelated(name, options, flat):
    image = flat(name, 0.5, **options).reshape(256, 256)
    centred = (image - image.mean()) / image.std()
    bound = stats.norm.ppf(1 - ALPHA / 2) / 256  # standard error of the correlation of 256^2 independent pairs
    assert abs((centred[:, 1:] * centred[:, :-1]).mean()) < bound
    assert abs((centred[1:] * centred[:-1]).mean()) < bound

"""Each classical method against its definition, or another library."""

from itertools import product

import numpy as np
import pytest
import scipy.ndimage
import scipy.signal
from skimage.restoration import denoise_tv_chambolle, denoise_wavelet

from fplbench import scoring
from fplbench.errors import InputError
from fplbench.methods import METHODS, denoise

ROUNDING = 0.5 + 1e-6
ONE_LEVEL = 1  # OpenCV computes some filters of 8-bit images with weights of a few bits


@pytest.fixture(scope="module")
def scene():
    """A smooth scene with an edge, and the same under Gaussian noise of 20 grey levels."""
    rows, columns = np.mgrid[:64, :80]
    clean = 100 + 50 * np.sin(rows / 9) * np.cos(columns / 13) + 60 * (columns > 40)
    noisy = clean + 20 * np.random.default_rng(0).standard_normal(clean.shape)
    return tuple(np.clip(np.rint(image), 0, 255).astype(np.uint8) for image in (clean, noisy))


def run(name, image, **options):
    return denoise(name, image[None], **options)[0].astype(float)


@pytest.mark.parametrize("size", [3, 5])
def test_mean_filter_is_the_mean_of_the_window(scene, size):
    exact = scipy.ndimage.uniform_filter(scene[1].astype(float), size, mode="mirror")
    assert np.abs(run("mean_filter", scene[1], size=size) - exact).max() <= ROUNDING


@pytest.mark.parametrize("size", [3, 7])
def test_median_filter_is_the_median_of_the_window(scene, size):
    exact = scipy.ndimage.median_filter(scene[1], size, mode="nearest")
    np.testing.assert_array_equal(run("median_filter", scene[1], size=size), exact)


@pytest.mark.parametrize(("size", "sigma"), [(3, 0.8), (7, 1.2)])
def test_gaussian_filter_convolves_with_the_normalised_gaussian(scene, size, sigma):
    kernel = np.exp(-((np.arange(size) - size // 2) ** 2) / (2 * sigma**2))
    kernel /= kernel.sum()
    exact = scene[1].astype(float)
    for axis in (0, 1):
        exact = scipy.ndimage.correlate1d(exact, kernel, axis, mode="mirror")
    assert np.abs(run("gaussian_filter", scene[1], size=size, sigma=sigma) - exact).max() <= ONE_LEVEL


def test_filter_combination_is_mean_then_median_then_gaussian(scene):
    step = denoise("mean_filter", scene[1][None], size=5)
    step = denoise("median_filter", step, size=7)
    step = denoise("gaussian_filter", step, size=3, sigma=0.6)[0]
    options = {"mean_size": 5, "median_size": 7, "gaussian_size": 3, "gaussian_sigma": 0.6}
    np.testing.assert_array_equal(run("filter_combination", scene[1], **options), step)


def shifted(image, radius):
    """The image moved by every offset of a square window: (row, column, moved image)."""
    height, width = image.shape
    padded = np.pad(image, radius, mode="reflect")
    for row, column in product(range(2 * radius + 1), repeat=2):
        yield row - radius, column - radius, padded[row : row + height, column : column + width]


def weighted_mean(terms):
    """Sum of weight times image over sum of weights."""
    terms = list(terms)
    return sum(weight * image for weight, image in terms) / sum(weight for weight, _ in terms)


def test_bilateral_filter_weights_by_place_and_by_grey_level(scene):
    image, sigma_color, sigma_space = scene[1].astype(float), 30.0, 1.5
    expected = weighted_mean(
        (np.exp(-(row**2 + column**2) / (2 * sigma_space**2) - (other - image) ** 2 / (2 * sigma_color**2)), other)
        for row, column, other in shifted(image, 2)
        if row**2 + column**2 <= 2**2
    )
    denoised = run("bilateral", scene[1], diameter=5, sigma_color=sigma_color, sigma_space=sigma_space)
    assert np.abs(denoised - expected).max() <= ONE_LEVEL


def test_nlm_weights_by_the_likeness_of_patches(scene):
    image, strength = scene[1].astype(float), 20.0
    expected = weighted_mean(
        (np.exp(-scipy.ndimage.uniform_filter((other - image) ** 2, 5) / strength**2), other) for _, _, other in shifted(image, 6)
    )
    denoised = run("nlm", scene[1], strength=strength, patch_size=5, search_size=13)
    inside = np.s_[10:-10, 10:-10]  # at the edges the two extend the patches differently
    assert np.abs(denoised - expected)[inside].max() <= ONE_LEVEL


def test_wavelet_levels_are_grey_levels(scene):
    peer = denoise_wavelet(scene[1] / 255, sigma=20 / 255, wavelet="sym4", method="BayesShrink", rescale_sigma=False)
    denoised = run("wavelet", scene[1], wavelet="sym4", sigma=20)
    assert np.abs(denoised - np.clip(peer, 0, 1) * 255).max() <= ROUNDING


@pytest.mark.parametrize("size", [3, 7])
def test_wiener_agrees_with_scipy_away_from_the_edges(scene, size):
    peer = scipy.signal.wiener(scene[1].astype(float), size, noise=400.0)
    inside = np.s_[size:-size, size:-size]
    assert np.abs(run("wiener", scene[1], size=size, sigma=20) - peer)[inside].max() <= ROUNDING


def test_wiener_of_a_bright_image_is_not_dark_at_the_edges():
    noisy = np.random.default_rng(0).normal(200, 5, (1, 64, 64)).round().astype(np.uint8)
    denoised = denoise("wiener", noisy)[0].astype(float)
    edge = np.concatenate([denoised[0], denoised[-1], denoised[:, 0], denoised[:, -1]])
    assert edge.mean() == pytest.approx(200, abs=1)
    assert denoised.std() < 0.6 * noisy.std()  # nearly all its variance is noise


def test_tv_keeps_the_mean_and_lowers_the_total_variation(scene):
    denoised = run("tv", scene[1], weight=30)

    def total_variation(image):
        return np.hypot(np.diff(image, axis=0)[:, :-1], np.diff(image, axis=1)[:-1]).sum()

    assert denoised.mean() == pytest.approx(scene[1].mean(), abs=0.1)
    assert total_variation(denoised) < 0.3 * total_variation(scene[1].astype(float))
    peer = denoise_tv_chambolle(scene[1] / 255, weight=30 / 255)
    assert np.abs(denoised - 255 * peer).max() <= ROUNDING


@pytest.mark.parametrize("name", ["bm3d", "tv", "nlm", "wavelet", "wiener", "bilateral", "filter_combination"])
def test_gaussian_noise_gets_less(scene, name):
    if reason := METHODS[name].unusable():
        pytest.skip(reason)
    clean, noisy = scene
    options = {"nlm": {"strength": 20}}.get(name, {})
    gain = scoring.psnr(clean, denoise(name, noisy[None], **options)[0]) - scoring.psnr(clean, noisy)
    assert gain > 3


@pytest.mark.parametrize(
    ("name", "option", "value", "sentence"),
    [
        ("median_filter", "size", 4, "median_filter.size: 4 is even"),
        ("mean_filter", "size", 0, "mean_filter.size is 0"),
        ("wavelet", "wavelet", "db99", "wavelet.wavelet: 'db99' is not a discrete wavelet: did you mean"),
        ("nlm", "strenght", 3, "nlm.strenght is not a known key: did you mean 'strength'"),
        ("bilateral", "sigma_color", "wide", "bilateral.sigma_color is 'wide'"),
    ],
)
def test_a_wrong_option_is_named(name, option, value, sentence):
    with pytest.raises(InputError, match=sentence):
        denoise(name, np.zeros((1, 8, 8), np.uint8), **{option: value})

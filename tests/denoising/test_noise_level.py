import numpy as np
import pytest

from fplbench.denoising.noise_level import estimate_noise


@pytest.mark.parametrize("sigma", [5, 20])
def test_finds_the_level_of_gaussian_noise_on_a_smooth_image(sigma):
    rows, columns = np.mgrid[:128, :128]
    image = 128 + 60 * np.sin(rows / 20) * np.cos(columns / 30) + sigma * np.random.default_rng(0).normal(size=(128, 128))
    # The median absolute deviation of 4,000 coefficients has a relative standard error of about 2 %.
    assert estimate_noise(image) == pytest.approx(sigma, rel=0.06)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("image", [np.full((32, 32), 200), np.tile(np.arange(32), (32, 1)), np.zeros((40, 1))])
def test_is_zero_without_diagonal_detail(image):
    assert estimate_noise(image.astype(np.uint8)) == 0


def test_is_the_estimate_of_scikit_image():
    from skimage.restoration import estimate_sigma

    for seed in range(5):
        image = np.random.default_rng(seed).integers(0, 256, (40 + seed, 64))
        assert estimate_noise(image) == pytest.approx(estimate_sigma(image.astype(float)), rel=1e-9)

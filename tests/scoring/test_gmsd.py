import numpy as np
import pytest

from fplbench.scoring.gmsd import gmsd
from fplbench.scoring.pair import Pair, Reference


def score(clean, denoised):
    return gmsd(Pair(Reference(clean), denoised))


def by_definition(clean, denoised, c=170.0):
    """The equations of Xue et al. (2014), by convolution in two dimensions."""
    from scipy.signal import convolve2d

    prewitt = np.array([[1, 0, -1]] * 3) / 3

    def magnitude(image):
        height, width = image.shape
        padded = np.pad(image.astype(float), ((0, height % 2), (0, width % 2)))
        halved = padded.reshape(padded.shape[0] // 2, 2, -1, 2).mean(axis=(1, 3))
        return np.hypot(convolve2d(halved, prewitt, "same"), convolve2d(halved, prewitt.T, "same"))

    a, b = magnitude(clean), magnitude(denoised)
    similarity = (2 * a * b + c) / (a**2 + b**2 + c)
    return np.sqrt(np.mean((similarity - similarity.mean()) ** 2))


def test_the_deviation_is_that_of_the_definition(pair):
    assert score(*pair) == pytest.approx(by_definition(*pair), rel=1e-6)


def test_equal_images_score_0_and_the_order_does_not_matter(pair):
    assert score(pair[0], pair[0]) == 0
    assert score(*pair) == pytest.approx(score(*pair[::-1]), rel=1e-12)


def test_two_pixels_by_hand():
    """2x4 pixels become two, p and q; amid zeros, their gradient magnitudes are q / 3 and p / 3."""
    clean = np.full((2, 4), 30, np.uint8)  # magnitudes 10, 10
    denoised = clean.copy()
    denoised[:, 2:] = 0  # magnitudes 0, 10
    assert score(clean, denoised) == pytest.approx((1 - 170 / (10**2 + 170)) / 2, rel=1e-6)

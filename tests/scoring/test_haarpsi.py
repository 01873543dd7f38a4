import numpy as np
import pytest

from fplbench.scoring.haarpsi import haarpsi
from fplbench.scoring.pair import Pair, Reference


def score(clean, denoised):
    return haarpsi(Pair(Reference(clean), denoised))


def by_definition(clean, denoised, c=5.0, alpha=4.9):
    """The equations of Reisenhofer et al. (2018), by convolution in two dimensions."""
    from scipy.signal import convolve2d

    def same(image, kernel):  # the central part as MATLAB's conv2 has it, whose centre of an even kernel is the second
        half = len(kernel) // 2
        return convolve2d(image, kernel)[half : half + image.shape[0], half : half + image.shape[1]]

    def coefficients(image):
        halved = same(image.astype(float), np.full((2, 2), 0.25))[::2, ::2]
        for transpose in (False, True):
            found = []
            for scale in (1, 2, 3):
                kernel = np.full((2**scale, 2**scale), 2.0**-scale)
                kernel[: 2 ** (scale - 1)] *= -1
                found.append(np.abs(same(halved, kernel.T if transpose else kernel)))
            yield found

    above = below = 0.0
    for a, b in zip(coefficients(clean), coefficients(denoised), strict=True):
        similarity = sum((2 * a[k] * b[k] + c) / (a[k] ** 2 + b[k] ** 2 + c) for k in (0, 1)) / 2
        weight = np.maximum(a[2], b[2])
        above += (weight / (1 + np.exp(-alpha * similarity))).sum()
        below += weight.sum()
    return (np.log(above / below / (1 - above / below)) / alpha) ** 2


def test_the_index_is_that_of_the_definition(pair):
    assert score(*pair) == pytest.approx(by_definition(*pair), rel=1e-6)


def test_equal_images_score_1_and_the_order_does_not_matter(pair):
    assert score(pair[0], pair[0]) == pytest.approx(1, abs=1e-12)
    assert score(*pair) == pytest.approx(score(*pair[::-1]), rel=1e-12)


def test_one_pixel_by_hand():
    """Images of 2x2 pixels become one pixel v; amid zeros its coefficients of sides 2 and 4 are v / 2 and v / 4."""
    clean, denoised = np.full((2, 2), 100, np.uint8), np.full((2, 2), 60, np.uint8)
    similarity = ((2 * 50 * 30 + 5) / (50**2 + 30**2 + 5) + (2 * 25 * 15 + 5) / (25**2 + 15**2 + 5)) / 2
    assert score(clean, denoised) == pytest.approx(similarity**2, rel=1e-6)


def test_black_images_are_equal():
    black = np.zeros((8, 8), np.uint8)
    assert score(black, black) == 1

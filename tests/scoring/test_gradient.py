import math

import numpy as np
import pytest

from fplbench.scoring.gradient import gradient_error
from fplbench.scoring.pair import Pair, Reference


def score(clean, denoised):
    return gradient_error(Pair(Reference(clean), denoised))


@pytest.fixture
def clean():
    return np.random.default_rng(0).integers(0, 256, (20, 26), dtype=np.uint8)


def test_the_gradients_are_those_of_scipy(clean):
    from scipy.ndimage import sobel

    denoised = np.random.default_rng(1).integers(0, 256, clean.shape, dtype=np.uint8)
    x, y = (np.stack([sobel(image.astype(float), axis) for axis in (0, 1)]) for image in (clean, denoised))
    assert score(clean, denoised) == pytest.approx(np.linalg.norm(y - x) / np.linalg.norm(x), rel=1e-12)


def test_a_ramp_of_half_the_slope_is_wrong_by_half():
    ramp = np.tile(np.arange(0, 240, 8, dtype=np.uint8), (10, 1))
    assert score(ramp, ramp // 2) == pytest.approx(0.5, abs=1e-12)
    assert score(ramp // 2, ramp) == pytest.approx(1, abs=1e-12)


def test_equal_images_score_0_and_a_constant_one_scores_1(clean):
    assert score(clean, clean) == 0
    assert score(clean, np.full_like(clean, 77)) == 1
    assert score(clean // 2, clean // 2 + np.uint8(60)) == 0  # a shift of the level is no error of gradients


def test_a_constant_clean_image_has_no_score(clean):
    assert math.isnan(score(np.full_like(clean, 77), clean))

import math

import numpy as np
import pytest

from fplbench import scoring
from fplbench.errors import InputError
from fplbench.scoring.pair import Pair, Reference, halve


@pytest.fixture
def pair():
    rng = np.random.default_rng(1)
    clean = rng.integers(0, 256, (3, 24, 20), dtype=np.uint8)
    noise = rng.normal(0, 30, clean.shape)
    return clean, np.clip(clean + noise, 0, 255).astype(np.uint8)


def test_psnr_is_that_of_scikit_image(pair):
    from skimage.metrics import peak_signal_noise_ratio

    expected = [peak_signal_noise_ratio(*images, data_range=255) for images in zip(*pair, strict=True)]
    np.testing.assert_allclose(scoring.psnr(*pair), expected, rtol=1e-14)


def test_psnr_of_a_constant_difference_by_hand():
    clean = np.full((8, 8), 100, np.uint8)
    assert scoring.psnr(clean, clean + np.uint8(5)) == pytest.approx(20 * math.log10(255 / 5), abs=1e-12)


def test_psnr_does_not_wrap():
    black, white = np.zeros((8, 8), np.uint8), np.full((8, 8), 255, np.uint8)
    assert scoring.psnr(black, white) == 0
    assert scoring.psnr(white, black) == 0


def test_equal_images_score_infinity_and_one(pair):
    assert scoring.psnr(pair[0], pair[0]).tolist() == [math.inf] * 3
    assert scoring.ssim(pair[0], pair[0]).tolist() == [1.0] * 3


def test_wrapped_psnr_reduces_the_squared_difference_modulo_256(pair):
    errors = [
        np.mean([((int(a) - int(b)) ** 2) % 256 for a, b in zip(c.flat, d.flat, strict=True)]) for c, d in zip(*pair, strict=True)
    ]
    expected = 10 * np.log10(255**2 / np.array(errors))
    np.testing.assert_allclose(scoring.psnr_uint8(*pair), expected, rtol=1e-12)


def test_wrapped_psnr_counts_black_against_white_as_one_grey_level():
    black, white = np.zeros((8, 8), np.uint8), np.full((8, 8), 255, np.uint8)
    assert scoring.psnr_uint8(black, white) == pytest.approx(20 * math.log10(255), abs=1e-12)


def test_wrapped_psnr_of_unrelated_images_is_27_9():
    one, other = np.random.default_rng(0).integers(0, 256, (2, 512, 512), dtype=np.uint8)
    squares = np.arange(256) ** 2 % 256
    assert scoring.psnr_uint8(one, other) == pytest.approx(10 * math.log10(255**2 / squares.mean()), abs=0.02)


def test_ssim_by_the_definition_in_one_window():
    rng = np.random.default_rng(2)
    x, y = rng.integers(0, 256, (2, 7, 7), dtype=np.uint8)
    a, b = x.astype(float), y.astype(float)
    covariance = np.cov(a.ravel(), b.ravel())
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    expected = ((2 * a.mean() * b.mean() + c1) * (2 * covariance[0, 1] + c2)) / (
        (a.mean() ** 2 + b.mean() ** 2 + c1) * (covariance[0, 0] + covariance[1, 1] + c2)
    )
    assert scoring.ssim(x, y) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("shape", [(24, 20), (7, 9), (65, 64)])
def test_ssim_and_its_map_are_those_of_scikit_image(shape):
    from skimage.metrics import structural_similarity

    rng = np.random.default_rng(3)
    clean = rng.integers(0, 256, shape, dtype=np.uint8)
    clean[: shape[0] // 2] = 200  # constant, where the variance is the difference of equal numbers
    for level in (0, 2, 40):
        denoised = np.clip(clean + rng.normal(0, level, shape), 0, 255).astype(np.uint8)
        expected, expected_map = structural_similarity(clean, denoised, win_size=7, data_range=255, full=True)
        np.testing.assert_allclose(Pair(Reference(clean), denoised).ssim_map, expected_map, rtol=0, atol=1e-10)
        assert scoring.ssim(clean, denoised) == pytest.approx(expected, abs=1e-11)


def test_an_image_at_half_the_size_has_the_means_of_blocks_and_zeros_beyond_odd_sides():
    image = np.array([[255, 255, 255], [255, 254, 0], [8, 4, 200]], np.uint8)
    assert halve(image).tolist() == [[1019 / 4, 255 / 4], [3, 50]]


@pytest.mark.parametrize("metric", [scoring.psnr, scoring.psnr_uint8, scoring.ssim])
def test_a_stack_scores_as_its_images_do(metric, pair):
    together = metric(*pair)
    assert together.shape == (3,)
    assert together.tolist() == [metric(*images) for images in zip(*pair, strict=True)]


@pytest.mark.parametrize("metric", [scoring.psnr, scoring.psnr_uint8, scoring.ssim])
def test_other_than_8_bit_is_refused(metric, pair):
    with pytest.raises(InputError, match="int16"):
        metric(pair[0], pair[1].astype(np.int16))
    with pytest.raises(InputError, match="shape"):
        metric(pair[0], pair[1][:2])


def test_images_smaller_than_the_window_are_refused():
    small = np.zeros((2, 6, 9), np.uint8)
    with pytest.raises(InputError, match=r"7x7 pixels; the images have shape \(6, 9\)"):
        scoring.ssim(small, small)


def test_float_images_are_told_how_to_be_converted(pair):
    images = pair[1].astype(np.float32) / 255
    with pytest.raises(InputError, match=r"float32 values.*convert images in \[0, 1\] with \(255 \* images\)\.round\(\)"):
        scoring.psnr(pair[0], images)
    assert scoring.psnr(pair[0], (255 * images).round().astype(np.uint8)).tolist() == scoring.psnr(*pair).tolist()


def test_feature_error_by_hand():
    clean = np.array([[[3.0, 4.0]], [[0.0, 0.0]]])
    maps = np.array([[[3.0, 0.0]], [[0.0, 1.0]]])
    assert scoring.feature_error(clean, clean).tolist() == [0, 0]
    assert scoring.feature_error(maps, clean).tolist() == [16 / 25, 1e12]

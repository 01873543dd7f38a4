import math
import time

import numpy as np
import pytest

from fplbench.errors import InputError
from fplbench.lesions.shapes import disc, surround
from fplbench.scoring.lesions import CONTRAST_METRICS, LESION_METRICS, LesionRegions


def disc_image(size=96, radius=9.0, inside=140, outside=60):
    """A sharp disc in the middle of an image, and its lesion mask."""
    rows, columns = np.mgrid[:size, :size] - size // 2
    lesions = (np.hypot(rows, columns) <= radius).astype(np.uint8)
    return np.where(lesions, np.uint8(inside), np.uint8(outside)), lesions


def score_lesions(clean, denoised, lesions, ssim_map, scale=1.0):
    return LesionRegions(clean, lesions).score(denoised, ssim_map, scale)


def flat(image, value=1.0):
    return np.full(image.shape, value)


def test_a_small_lesion_by_hand():
    clean = np.full((9, 9), 10, np.uint8)
    clean[3:5, 3:5] = 50
    lesions = (clean == 50).astype(np.uint8)
    denoised = clean.copy()
    denoised[3:5, 3:5] = [[40, 44], [44, 40]]  # mean 42; squared errors 100, 36, 36, 100
    denoised[2, 3] = 18  # one of the eight pixels of the ring, whose mean is then 11 and whose variance 7
    ssim_map = np.zeros((9, 9))
    ssim_map[3:5, 3:5] = 0.9  # 4 of the 12 pixels of the lesion and its surroundings
    scores = score_lesions(clean, denoised, lesions, ssim_map, scale=2.0)[1]
    assert scores.keys() == set(LESION_METRICS)
    assert scores["rmse"] == pytest.approx(2 * math.sqrt(68))
    assert scores["bias"] == pytest.approx(2 * -8)
    assert scores["psnr"] == pytest.approx(10 * math.log10(255**2 / ((4 * 68 + 64) / 12)))
    assert scores["ssim"] == pytest.approx(0.9 / 3)
    assert scores["contrast_recovery"] == pytest.approx((42 - 11) / 40)
    assert scores["recovery_error"] == pytest.approx(1 - 31 / 40)
    assert scores["cnr"] == pytest.approx(31 / math.sqrt(7))


def test_the_cnr_of_a_dark_lesion_is_positive_and_larger_where_it_is_clearer():
    """The same images with black and white exchanged have the same contrast to noise; an inverted lesion has a negative one."""
    random = np.random.default_rng(0)
    lesions = np.zeros((16, 16), np.uint8)
    lesions[6:9, 6:9] = 1
    clean = (100 + random.integers(0, 5, (16, 16)) + 60 * lesions).astype(np.uint8)
    denoised = (clean + random.integers(-4, 5, (16, 16))).astype(np.uint8)
    bright = score_lesions(clean, denoised, lesions, flat(clean))[1]["cnr"]
    dark = score_lesions(255 - clean, 255 - denoised, lesions, flat(clean))[1]["cnr"]
    assert bright == pytest.approx(dark) and bright > 0
    assert score_lesions(clean, 255 - denoised, lesions, flat(clean))[1]["cnr"] == pytest.approx(-bright)


def test_the_clean_image_keeps_all():
    clean, lesions = disc_image()
    scores = score_lesions(clean, clean, lesions, flat(clean))[1]
    assert scores["contrast_recovery"] == 1
    assert scores["psnr"] == math.inf
    assert scores["ssim"] == 1
    assert scores["rmse"] == scores["recovery_error"] == scores["bias"] == 0


@pytest.mark.parametrize(("factor", "offset"), [(0.5, 20), (1.25, 5), (-0.5, 150), (0, 90)])
def test_a_linear_change_of_grey_levels_scales_the_contrast(factor, offset):
    clean, lesions = disc_image()
    denoised = (factor * clean + offset).astype(np.uint8)
    scores = score_lesions(clean, denoised, lesions, flat(clean), scale=1400 / 255)[1]
    bias = factor * 140 + offset - 140
    assert scores["contrast_recovery"] == pytest.approx(factor)
    assert scores["recovery_error"] == pytest.approx(abs(1 - factor))
    assert scores["bias"] == pytest.approx(bias * 1400 / 255)
    assert scores["rmse"] == pytest.approx(abs(bias) * 1400 / 255)


def test_more_than_all_of_the_contrast_is_an_error_too():
    clean, lesions = disc_image()
    scores = score_lesions(clean, (1.25 * clean).astype(np.uint8), lesions, flat(clean))[1]
    assert (scores["contrast_recovery"], scores["recovery_error"]) == (pytest.approx(1.25), pytest.approx(0.25))


@pytest.mark.parametrize("sigma", [1.0, 2.0, 3.0])
def test_blur_costs_a_disc_the_contrast_that_theory_says(sigma):
    """Blurred by a Gaussian, the disc has the profile P(R <= radius), R of a Rice distribution: a chi-squared value."""
    from scipy.stats import ncx2

    clean, lesions = disc_image(size=256, radius=15.0, inside=250, outside=0)
    rows, columns = np.mgrid[:256, :256] - 128
    distance = np.hypot(rows, columns)
    share = ncx2.cdf(15.0**2 / sigma**2, df=2, nc=distance**2 / sigma**2)
    profile = 250 * share
    near = (distance > 15.0) & (distance <= 17.0)
    expected = share[distance <= 15.0].mean() - share[near].mean()
    scores = score_lesions(clean, np.rint(profile).astype(np.uint8), lesions, flat(clean))[1]
    assert scores["contrast_recovery"] == pytest.approx(expected, abs=0.02)  # the ring is discrete: the disc's rim is jagged
    assert scores["contrast_recovery"] < 0.95


def test_the_contrast_of_a_wide_blurred_edge_by_the_error_function():
    """A lesion with a straight edge, blurred: means of the error function over the pixels beside the edge."""
    from scipy.special import ndtr

    clean = np.full((256, 256), 50, np.uint8)
    clean[:, :128] = 250
    lesions = (clean == 250).astype(np.uint8)
    profile = ndtr((127.5 - np.arange(256)) / 2.0)
    denoised = np.rint(50 + 200 * np.tile(profile, (256, 1))).astype(np.uint8)
    scores = score_lesions(clean, denoised, lesions, flat(clean))[1]
    expected = profile[:128].mean() - profile[128:130].mean()  # the ring is the two columns beyond the edge
    assert scores["contrast_recovery"] == pytest.approx(expected, abs=0.002)


def test_the_surroundings_are_two_pixels_at_256_and_at_least_one():
    assert [surround(size) for size in (32, 96, 128, 256, 512)] == [1, 1, 1, 2, 4]
    assert disc(1).tolist() == [[0, 1, 0], [1, 1, 1], [0, 1, 0]]
    assert disc(2).sum() == 13  # lattice points within two of the centre


@pytest.mark.parametrize("size", [96, 256, 512])
def test_the_surroundings_are_those_of_the_distance_transform(size):
    from scipy.ndimage import distance_transform_edt

    rng = np.random.default_rng(3)
    lesions = np.zeros((size, size), np.uint8)
    lesions[20:41, 30:42] = rng.random((21, 12)) < 0.5  # a ragged lesion
    clean = np.where(lesions, np.uint8(200), rng.integers(0, 40, lesions.shape, np.uint8))
    denoised = rng.integers(0, 256, lesions.shape, np.uint8)
    ring = (distance_transform_edt(lesions == 0) <= surround(size)) & (lesions == 0)
    expected = (denoised[lesions == 1].mean() - denoised[ring].mean()) / (200 - clean[ring].mean())
    assert score_lesions(clean, denoised, lesions, flat(clean))[1]["contrast_recovery"] == pytest.approx(expected)


def test_a_lesion_that_touches_is_not_background():
    clean = np.full((96, 96), 20, np.uint8)
    lesions = np.zeros((96, 96), np.uint8)
    clean[40:44, 40:44], lesions[40:44, 40:44] = 100, 1
    clean[40:44, 44:48], lesions[40:44, 44:48] = 220, 2
    scores = score_lesions(clean, clean // 2, lesions, flat(clean))
    # With the other lesion in its ring, the darker one would have a contrast below two standard deviations.
    assert scores[1]["contrast_recovery"] == scores[2]["contrast_recovery"] == pytest.approx(0.5)
    assert (scores[1]["bias"], scores[2]["bias"]) == (-50, -110)


def test_a_lesion_without_free_surroundings_has_no_contrast():
    lesions = np.full((16, 16), 2, np.uint8)
    lesions[6:9, 6:9] = 1
    clean = np.where(lesions == 1, np.uint8(90), np.uint8(20))
    scores = score_lesions(clean, clean, lesions, flat(clean))
    assert all(math.isnan(score[name]) for score in scores.values() for name in CONTRAST_METRICS)
    assert scores[1]["rmse"] == 0


@pytest.mark.parametrize("corner", [(0, 0), (0, 92), (92, 0), (92, 92)])
def test_a_lesion_in_a_corner_has_half_a_ring(corner):
    clean = np.full((96, 96), 20, np.uint8)
    lesions = np.zeros((96, 96), np.uint8)
    square = tuple(slice(start, start + 4) for start in corner)
    clean[square], lesions[square] = 100, 7
    denoised = clean.copy()
    beside = 4 if corner[1] == 0 else 91  # the ring's four pixels in this column; four more lie above or below
    denoised[square[0], beside] = 60
    scores = score_lesions(clean, denoised, lesions, flat(clean))
    assert scores.keys() == {7}
    assert scores[7]["contrast_recovery"] == pytest.approx((100 - 40) / 80)
    assert scores[7]["psnr"] == pytest.approx(10 * math.log10(255**2 / (4 * 40**2 / 24)))


@pytest.mark.parametrize(("pixels", "scored"), [(3, False), (4, True)])
def test_a_lesion_of_fewer_than_four_pixels_is_not_scored(pixels, scored):
    clean = np.full((32, 32), 20, np.uint8)
    lesions = np.zeros((32, 32), np.uint8)
    clean[9, 9 : 9 + pixels], lesions[9, 9 : 9 + pixels] = 90, 1
    scores = score_lesions(clean, clean, lesions, flat(clean))[1]
    assert [not math.isnan(value) for value in scores.values()] == [scored] * len(LESION_METRICS)


@pytest.mark.parametrize(("contrast", "scored"), [(19, False), (-19, False), (20, True), (-20, True)])
def test_contrast_is_scored_from_two_standard_deviations_of_the_ring(contrast, scored):
    clean = np.indices((96, 96)).sum(axis=0) % 2 * 20 + 90  # a chequerboard: mean 100, standard deviation 10
    lesions = np.zeros((96, 96), np.uint8)
    lesions[40:50, 40:50] = 1  # a ring of 40 pixels, half of them 90
    clean = np.where(lesions, 100 + contrast, clean).astype(np.uint8)
    scores = score_lesions(clean, clean, lesions, flat(clean))[1]
    assert [not math.isnan(scores[name]) for name in CONTRAST_METRICS] == [scored] * 3
    assert (scores["rmse"], scores["psnr"], scores["ssim"]) == (0, math.inf, 1)


def test_a_flat_lesion_has_no_contrast():
    clean, lesions = disc_image(inside=60, outside=60)
    scores = score_lesions(clean, clean, lesions, flat(clean))[1]
    assert all(math.isnan(scores[name]) for name in CONTRAST_METRICS)


def test_a_constant_ring_has_the_standard_deviation_of_rounding():
    clean, lesions = disc_image()
    assert score_lesions(clean, clean, lesions, flat(clean))[1]["cnr"] == pytest.approx(80 * math.sqrt(12))


def test_regions_are_reused_for_every_method():
    clean, lesions = disc_image()
    regions = LesionRegions(clean, lesions)
    for factor in (0.5, 0.75):
        assert regions.score((factor * clean).astype(np.uint8), flat(clean))[1]["contrast_recovery"] == pytest.approx(factor)


def test_an_image_without_lesions_has_no_scores():
    clean, _ = disc_image()
    assert score_lesions(clean, clean, np.zeros_like(clean), flat(clean)) == {}


def test_arrays_of_other_shapes_are_refused():
    clean, lesions = disc_image()
    with pytest.raises(InputError, match="lesions have shape"):
        score_lesions(clean, clean, lesions[1:], flat(clean))
    with pytest.raises(InputError, match="denoised image has shape"):
        score_lesions(clean, clean[1:], lesions, flat(clean))
    with pytest.raises(InputError, match="SSIM has shape"):
        score_lesions(clean, clean, lesions, flat(clean[1:]))


def test_eleven_methods_of_500_images_take_seconds():
    clean, lesions = disc_image(size=256, radius=12)
    start = time.perf_counter()
    for _ in range(50):
        regions = LesionRegions(clean, lesions)
        for _ in range(11):
            regions.score(clean, flat(clean))
    assert time.perf_counter() - start < 1  # a tenth of the images in a tenth of 10 s

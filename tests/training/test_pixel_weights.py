"""Weights of the pixels from features, by hand, and the residual loss with them."""

import numpy as np
import pytest
import torch

from fplbench.training.denoiser import DenoiserLoss, DenoiserOptions
from fplbench.training.loop.pixel_weights import pixel_weights
from tests.training.test_denoiser import BOTH, CPU, Scaled

RAMP = np.arange(16, dtype=np.float16).reshape(1, 4, 4)


def weights_of(maps, strength=5.0, quantile=0.99, size=(4, 4)):
    return pixel_weights(np.asarray(maps, np.float16), size, strength, quantile, CPU)


def test_the_weights_of_a_ramp_by_hand():
    """The quantile 0.8 of 0, 1, ..., 15 is 12, so m is 0, 1/12, ..., 1, 1, 1, 1, of mean (66/12 + 4) / 16 = 9.5 / 16."""
    m = np.minimum(np.arange(16) / 12, 1)
    expected = (1 + 5 * m) / (1 + 5 * 9.5 / 16)
    found = weights_of(RAMP, quantile=0.8)
    np.testing.assert_allclose(found.numpy().ravel(), expected, rtol=1e-6)
    assert float(found.mean()) == pytest.approx(1)


def test_the_magnitude_is_the_root_of_the_sum_of_squares_whatever_the_sign():
    """(3, -4) has magnitude 5 = m of 1; the others 0: the weights are 6 and 1 over their mean, (15 + 6) / 16."""
    maps = np.zeros((1, 2, 4, 4))
    maps[0, :, 1, 2] = 3, -4
    found = weights_of(maps, quantile=1.0)[0]
    assert float(found[1, 2]) == pytest.approx(6 / (21 / 16)) and float(found[0, 0]) == pytest.approx(1 / (21 / 16))
    torch.testing.assert_close(weights_of(-RAMP), weights_of(RAMP))


def test_the_quantile_is_that_of_all_images_and_the_mean_that_of_each():
    """Magnitudes of 1 in the first image and 2 in the second: the median of 32 values is 1.5, so m = 2/3 and 1, both even."""
    found = weights_of(np.stack([np.ones((4, 4)), np.full((4, 4), 2)]), quantile=0.5)
    torch.testing.assert_close(found, torch.ones(2, 4, 4))
    half = np.zeros((2, 4, 4))
    half[0, :2], half[1, :2] = 1, 2
    found = weights_of(half, strength=1.0, quantile=1.0)
    # m is 1/2 in half of the first image, and 1 in half of the second: 1.5 / 1.25 and 2 / 1.5.
    assert [float(found[i, 0, 0]) for i in range(2)] == pytest.approx([1.5 / 1.25, 2 / 1.5])


def test_of_a_small_lesion_whose_quantile_is_zero_the_largest_magnitude_counts():
    mask = np.zeros((1, 20, 20))
    mask[0, 3, 3] = 1
    found = weights_of(mask, strength=20, size=(20, 20))[0]
    assert float(found[3, 3] / found[0, 0]) == pytest.approx(21)


def test_features_that_are_nowhere_and_a_strength_of_zero_leave_all_pixels_alike():
    ones = torch.ones(1, 4, 4)
    assert torch.equal(weights_of(np.zeros((1, 4, 4))), ones) and torch.equal(weights_of(RAMP, strength=0), ones)


def test_maps_of_lower_resolution_are_enlarged_bilinearly_and_cropped():
    """Between the middles of two pixels of values 0 and 8, two pixels of the image lie at a quarter and three quarters."""
    coarse = np.tile(np.array([0.0, 8.0]), (1, 1, 2, 1))
    found = weights_of(coarse, strength=1.0, quantile=1.0)[0, 0]
    m = np.array([0, 0.25, 0.75, 1])
    np.testing.assert_allclose(found, (1 + m) / 1.5, rtol=1e-6)
    found = weights_of(coarse, strength=1.0, quantile=1.0, size=(3, 3))[0, 0]
    np.testing.assert_allclose(found, (1 + m[:3] / 0.75) / (1 + 4 / 9), rtol=1e-6)


@pytest.mark.parametrize(("loss", "power"), [("squared", 2), ("absolute", 1)])
def test_the_residual_loss_counts_the_pixels_by_their_weights_in_every_view(loss, power):
    """Images whose noise is their own weight's pattern: flips move both, and the sum over a whole image stays."""
    random = torch.Generator().manual_seed(0)
    clean = torch.randint(0, 100, (3, 16, 12), dtype=torch.uint8, generator=random)
    noise = torch.randint(0, 100, (3, 16, 12), dtype=torch.uint8, generator=random)
    weights = weights_of(noise.numpy(), size=(16, 12))
    options = DenoiserOptions(loss=loss, features=True, feature_use="weight")
    expected = (weights.double() * (noise.double() / 255) ** power).sum() / 3
    for flips in ((), BOTH):
        function = DenoiserLoss(Scaled(1.0), "image", clean, clean + noise, options, 1, flips, weights=weights)
        assert function.terms == ["residual"]
        assert float(function(torch.arange(3), 4)["residual"][0].detach()) == pytest.approx(float(expected), rel=1e-5)
    cropped = DenoiserOptions(loss=loss, patch=8)
    function = DenoiserLoss(Scaled(1.0), "image", clean, clean + noise, cropped, 1, BOTH, weights=weights)
    view = function.views(torch.arange(3), 4)
    seen = view.as_they_are(weights) * view.of(noise).double() ** power
    assert seen.shape == (3, 1, 8, 8)
    assert float(function(torch.arange(3), 4)["residual"][0].detach()) == pytest.approx(float(seen.sum()) / 3, rel=1e-5)
    # The weights of a crop are those of its pixels in the whole image.
    flipped = view.flipped[0].tolist()
    whole = weights[0].flip([axis for axis in (0, 1) if flipped[axis]])
    places = [
        (y, x) for y in range(9) for x in range(5) if torch.equal(whole[y : y + 8, x : x + 8], view.as_they_are(weights)[0, 0])
    ]
    assert len(places) == 1

import pytest
import torch

from fplbench.losses import feature_preserving_loss, residual_loss


def test_residual_loss_is_the_squared_norm_averaged_over_images():
    residual = torch.tensor([[[[1.0, 2.0]]], [[[0.0, 0.0]]]])
    noise = torch.tensor([[[[0.0, 0.0]]], [[[3.0, 0.0]]]])
    # Image 1: 1 + 4 = 5. Image 2: 9. Their mean is 7.
    assert residual_loss(residual, noise).item() == 7.0


def test_the_feature_preserving_loss_is_the_published_sum_over_pixels():
    denoised, clean = torch.tensor([[[[1.0, 5.0]]]]), torch.tensor([[[[3.0, 2.0]]]])
    assert feature_preserving_loss(denoised, clean).item() == 4.0 + 9.0


def test_normalised_loss_divides_by_the_variance_of_each_clean_map():
    denoised, clean = torch.tensor([[[[1.0, 5.0]]]]), torch.tensor([[[[3.0, 1.0]]]])
    # The variance of (3, 1) is 1. That of (30, 10) is 100, and the squared differences are also 100 times as large.
    assert feature_preserving_loss(denoised, clean, normalise=True).item() == 20.0
    assert feature_preserving_loss(10 * denoised, 10 * clean, normalise=True).item() == pytest.approx(20.0)


def test_a_constant_clean_map_gives_a_finite_loss():
    assert torch.isfinite(feature_preserving_loss(torch.ones(1, 1, 2, 2), torch.zeros(1, 1, 2, 2), normalise=True))

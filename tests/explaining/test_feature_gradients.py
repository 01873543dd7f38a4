"""The gradient of the feature preserving loss through every feature that has one."""

from itertools import product
from typing import get_args

import pytest
import torch

from fplbench.explaining.options import Activation, ExplanationOptions, Readout
from fplbench.explaining.registry import FEATURES, explain
from fplbench.losses import feature_preserving_loss
from fplbench.networks.unet import fold_batch_norm
from tests.explaining.networks import smooth_images, trained_unet

DIFFERENT = [
    {"feature": "guided", "level": 0, "readout": "half_square", "activation": "relu"},
    {"feature": "guided", "level": 2, "readout": "sigmoid_sum", "beta": 10.0},
    {"feature": "gradient"},
    {"feature": "gradient", "readout": "half_square", "activation": "relu"},
    {"feature": "gradient", "readout": "sigmoid_sum", "activation": "relu", "level": 2},
    {"feature": "smoothgrad", "samples": 3},
    {"feature": "smoothgrad", "samples": 2, "readout": "half_square", "activation": "relu", "level": 1},
    {"feature": "integrated_gradients", "samples": 3, "activation": "relu"},
    {"feature": "integrated_gradients", "samples": 3, "readout": "sigmoid_sum", "level": 3},
    {"feature": "grad_cam", "activation": "relu"},
    # Grad-CAM of other levels is zero everywhere for some of the networks, as its last ReLU then closes.
    {"feature": "grad_cam", "level": 3, "readout": "sigmoid_sum"},
    {"feature": "grad_cam", "level": 0, "readout": "half_square", "activation": "relu"},
    {"feature": "encoder"},
    {"feature": "encoder", "level": 3},
    {"feature": "sobel"},
]  # fmt: skip


def every_form():
    """All features with every readout and activation, of the output and of a level."""
    for name, feature in FEATURES.items():
        choices = {
            key: values
            for key, values in {
                "readout": get_args(Readout),
                "activation": get_args(Activation),
                "level": (None, 2),
                "samples": (2,),
            }.items()
            if key in feature.options
        }
        for values in product(*choices.values()):
            yield ExplanationOptions(feature=name, **dict(zip(choices, values, strict=True)))


def gradient_of_loss(network, images, options, targets):
    """L_FP of images, and its gradient."""
    images = images.detach().requires_grad_()
    maps = explain(network, images, options, create_graph=True)
    loss = feature_preserving_loss(maps, targets)
    (gradient,) = torch.autograd.grad(loss, images, allow_unused=True, materialize_grads=True)
    return float(loss.detach()), gradient


@pytest.mark.slow
@pytest.mark.parametrize("given", DIFFERENT, ids=lambda given: "-".join(map(str, given.values())))
@pytest.mark.parametrize("seed", range(3))
def test_the_gradient_of_the_loss_equals_finite_differences(seed, given):
    options = ExplanationOptions(**given)
    assert options.has_gradient
    network = trained_unet(seed, dtype=torch.float64).requires_grad_(False)
    clean = smooth_images(2, dtype=torch.float64)
    targets = explain(network, clean, options)
    denoised = clean + 0.05 * torch.randn_like(clean)
    _, gradient = gradient_of_loss(network, denoised, options, targets)
    assert gradient.abs().max() > 0
    # Max pooling and the gates switch at isolated points; the step is small enough not to cross one.
    step = 1e-8
    for _ in range(3):
        direction = torch.randn_like(clean)
        above, below = (
            float(feature_preserving_loss(explain(network, denoised + sign * step * direction, options), targets))
            for sign in (1, -1)
        )
        assert float((gradient * direction).sum()) == pytest.approx((above - below) / (2 * step), rel=1e-4)


@pytest.mark.parametrize("options", list(every_form()), ids=lambda options: "-".join(
    str(value) for value in (options.feature, options.readout, options.activation, options.level)
))  # fmt: skip
def test_the_gradient_is_zero_exactly_where_the_explanation_says_so(options):
    if not options.of_images:
        assert not options.has_gradient
        return
    network = trained_unet(0).requires_grad_(False)
    images = smooth_images(2)
    zero = torch.zeros_like(explain(network, images, options))
    loss, gradient = gradient_of_loss(network, images, options, zero)
    assert loss > 0
    assert bool(torch.count_nonzero(gradient)) == options.has_gradient


def test_the_explanations_without_a_gradient_are_those_of_a_piecewise_linear_function():
    flat = {
        (options.feature, options.readout, options.activation)
        for options in every_form()
        if options.of_images and not options.has_gradient
    }
    assert flat == {(feature, "sum", "relu") for feature in ("guided", "gradient", "smoothgrad")}


@pytest.mark.slow
@pytest.mark.parametrize("given", DIFFERENT, ids=lambda given: "-".join(map(str, given.values())))
def test_the_gradient_through_folded_batch_norms_is_that_through_the_network(given):
    # The folded copy, with which denoisers are trained, has its own implementation of convolutions.
    options = ExplanationOptions(**given)
    network = trained_unet(1, dtype=torch.float64).requires_grad_(False)
    images = smooth_images(2, dtype=torch.float64)
    targets = torch.randn_like(explain(network, images, options))
    _, expected = gradient_of_loss(network, images, options, targets)
    _, found = gradient_of_loss(fold_batch_norm(network), images, options, targets)
    assert torch.allclose(found, expected, rtol=1e-7, atol=1e-9 * float(expected.abs().max()))

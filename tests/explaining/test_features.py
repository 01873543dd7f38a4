"""The features that can be explained, against captum, scipy and values worked out by hand."""

import captum.attr
import numpy as np
import pytest
import scipy.ndimage
import torch
from torch import nn

from fplbench.errors import InputError
from fplbench.explaining.guided import READOUTS
from fplbench.explaining.levels import at_level
from fplbench.explaining.options import ExplanationOptions
from fplbench.explaining.registry import FEATURES, explain
from tests.explaining.networks import ReadOut, hooks_and_modes, smooth_images, trained_unet

IN_IMAGES = [name for name, feature in FEATURES.items() if feature.of_images]
OF_NETWORKS = [name for name, feature in FEATURES.items() if "network" in feature.options]


def maps_of(network, images, create_graph=False, **options):
    return explain(network, images, ExplanationOptions(**options), create_graph)


def assert_close(maps, expected, tolerance=1e-5):
    """Each map is the expected one to within a fraction of its largest value, which is not zero."""
    assert maps.shape == expected.shape
    scale = expected.abs().amax(dim=tuple(range(1, expected.ndim)), keepdim=True)
    assert scale.min() > 0
    assert ((maps - expected).abs() / scale).max() < tolerance


@pytest.mark.parametrize("level", [None, 0, 3])
@pytest.mark.parametrize("readout", READOUTS)
@pytest.mark.parametrize("seed", range(3))
def test_the_plain_gradient_is_captums_saliency_with_its_sign(seed, readout, level):
    network, images = trained_unet(seed), smooth_images(3)
    expected = captum.attr.Saliency(ReadOut(at_level(network, level), readout)).attribute(images.requires_grad_(), abs=False)
    assert_close(maps_of(network, images, feature="gradient", readout=readout, activation="relu", level=level), expected)


@pytest.mark.parametrize("level", range(5))
@pytest.mark.parametrize("readout", READOUTS)
@pytest.mark.parametrize("seed", range(3))
def test_grad_cam_is_captums(seed, readout, level):
    network, images = trained_unet(seed, dtype=torch.float64), smooth_images(3, dtype=torch.float64)
    layer = network.down[level - 1] if level else network.first
    largest = 0.0
    for sign in (1.0, -1.0):  # where the ReLU of the map closes for one sign of the output, it opens for the other
        network.last.weight.data *= sign
        coarse = captum.attr.LayerGradCam(ReadOut(network, readout), layer).attribute(images, relu_attributions=True)
        expected = captum.attr.LayerAttribution.interpolate(coarse, (32, 32), "bilinear").detach()
        found = maps_of(network, images, feature="grad_cam", readout=readout, activation="relu", level=level)
        assert torch.allclose(found, expected, rtol=1e-6, atol=1e-9 * float(expected.max()))
        largest = max(largest, float(expected.max()))
    assert largest > 0


@pytest.mark.parametrize("level", [None, 1])
@pytest.mark.parametrize("readout", READOUTS)
@pytest.mark.parametrize("seed", range(3))
def test_integrated_gradients_are_captums_with_the_midpoint_rule(seed, readout, level):
    network, images = trained_unet(seed, dtype=torch.float64), smooth_images(2, dtype=torch.float64)
    reference = captum.attr.IntegratedGradients(ReadOut(at_level(network, level), readout))
    expected = reference.attribute(images, torch.zeros_like(images), n_steps=6, method="riemann_middle")
    options = {"readout": readout, "activation": "relu", "samples": 6, "level": level}
    assert_close(maps_of(network, images, feature="integrated_gradients", **options), expected)


@pytest.mark.slow
@pytest.mark.parametrize("readout", READOUTS)
def test_integrated_gradients_add_up_to_the_change_from_a_black_image(readout):
    """Completeness: the sum of the map is s(x) - s(0) (Sundararajan et al. 2017, proposition 1)."""
    network, images = trained_unet(0, dtype=torch.float64), smooth_images(2, dtype=torch.float64)
    scalar = ReadOut(network, readout)
    with torch.no_grad():
        change = scalar(images) - scalar(torch.zeros_like(images))
    maps = maps_of(network, images, feature="integrated_gradients", readout=readout, activation="relu", samples=400)
    assert maps.sum(dim=(1, 2, 3)).tolist() == pytest.approx(change.tolist(), rel=2e-2)


@pytest.mark.parametrize("readout", READOUTS)
def test_smoothgrad_is_captums_noise_tunnel_with_the_same_noise(readout, monkeypatch):
    network, images = trained_unet(1), smooth_images(2)
    generator = torch.Generator().manual_seed(0)
    noise = torch.cat([torch.randn(1, 1, 32, 32, generator=generator) for _ in range(4)])
    # captum draws noise for four copies of the first image, then for those of the second.
    monkeypatch.setattr(torch, "normal", lambda mean, deviation: deviation * noise.repeat(2, 1, 1, 1))
    tunnel = captum.attr.NoiseTunnel(captum.attr.Saliency(ReadOut(network, readout)))
    expected = tunnel.attribute(images, nt_type="smoothgrad", nt_samples=4, stdevs=0.2, abs=False)
    found = maps_of(network, images, feature="smoothgrad", readout=readout, activation="relu", samples=4, spread=0.2)
    assert_close(found, expected)


@pytest.mark.parametrize("level", range(5))
def test_encoder_features_are_those_of_the_level_after_its_last_relu(level):
    network, images = trained_unet(0), smooth_images(2)
    layer = (network.down[level - 1] if level else network.first)[5]
    assert isinstance(layer, nn.ReLU)
    with torch.no_grad():
        expected = captum.attr.LayerActivation(network, layer).attribute(images)
    found = maps_of(network, images, feature="encoder", level=level)
    assert found.shape == (2, 4 * (1, 2, 4, 8, 8)[level], 32 >> level, 32 >> level)
    assert torch.equal(found, expected)


def test_sobel_is_scipys():
    images = torch.rand(3, 1, 20, 33, dtype=torch.float64)
    found = maps_of(None, images, feature="sobel")
    assert found.shape == (3, 2, 20, 33)
    for channel, axis in enumerate((-1, -2)):
        expected = np.stack([scipy.ndimage.sobel(image, axis, mode="mirror") / 8 for image in images[:, 0].numpy()])
        np.testing.assert_allclose(found[:, channel].numpy(), expected, atol=1e-15)


def test_sobel_of_a_ramp_is_its_slope():
    ramp = torch.arange(16.0).repeat(16, 1)[None, None] / 16
    found = maps_of(None, ramp, feature="sobel")[0]
    assert torch.equal(found[0, :, 1:-1], torch.full((16, 14), 1 / 16))
    assert not found[1].any()


def small_network(*weights: float) -> nn.Sequential:
    """Convolutions of one pixel with these weights, with a ReLU between them."""
    network = nn.Sequential(nn.Conv2d(1, 1, 1, bias=False), nn.ReLU(), nn.Conv2d(1, 1, 1, bias=False))
    for layer, weight in zip((network[0], network[2]), weights, strict=True):
        layer.weight.data.fill_(weight)
    return network


@pytest.mark.parametrize(("feature", "expected"), [("gradient", [0.0, 6.0]), ("guided", [0.0, 0.0])])
def test_the_gradient_by_hand_passes_where_the_guided_rule_stops_it(feature, expected):
    # f(x) = -2 ReLU(-3 x): the gradient is 0 for positive x and 6 for negative x. At the ReLU it is -2: the guided rule stops it.
    images = torch.tensor([[[[0.5, -0.25]]]])
    assert maps_of(small_network(-3.0, -2.0), images, feature=feature, activation="relu").flatten().tolist() == expected


def test_features_of_half_the_squared_output_by_hand():
    # For positive x, s = (3 * 2 * x)^2 / 2, so ds/dx = 36 x. Its mean along the path, times x, is 18 x^2. SmoothGrad of one noisy
    # copy that is positive is 36 times this copy.
    network, images = small_network(3.0, 2.0), torch.tensor([[[[0.5, 0.25]]]])
    options = {"readout": "half_square", "activation": "relu"}
    assert maps_of(network, images, feature="gradient", **options).flatten().tolist() == [18.0, 9.0]
    integrated = maps_of(network, images, feature="integrated_gradients", samples=5, **options)
    assert integrated.flatten().tolist() == pytest.approx([4.5, 1.125])
    noise = torch.randn(1, 1, 1, 2, generator=torch.Generator().manual_seed(0))
    smooth = maps_of(network, images, feature="smoothgrad", samples=1, spread=0.01, **options)
    assert torch.allclose(smooth, 36 * (images + 0.01 * noise))


def test_the_softplus_of_the_plain_gradient_by_hand():
    # f(x) = 2 softplus(-x): the gradient is -2 sigmoid(-10 x).
    images = torch.tensor([[[[0.1, -0.1]]]])
    maps = maps_of(small_network(-1.0, 2.0), images, feature="gradient", beta=10.0)
    assert maps.flatten().tolist() == pytest.approx([-2 / (1 + np.e), -2 * np.e / (1 + np.e)])


def test_smoothgrad_has_the_same_noise_for_every_image_and_call():
    network, image = trained_unet(0), smooth_images(1)
    pair = maps_of(network, image.repeat(2, 1, 1, 1), feature="smoothgrad", samples=3)
    torch.manual_seed(99)
    again = maps_of(network, image, feature="smoothgrad", samples=3)
    assert torch.allclose(pair[0], pair[1], rtol=1e-4, atol=1e-5) and torch.allclose(pair[:1], again, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("activation", ["softplus", "relu"])
@pytest.mark.parametrize("readout", READOUTS)
@pytest.mark.parametrize("feature", IN_IMAGES)
def test_the_map_of_an_image_does_not_depend_on_its_batch(feature, readout, activation):
    given = {"readout": readout, "activation": activation, "samples": 3}
    options = {name: value for name, value in given.items() if name in FEATURES[feature].options}
    network, images = trained_unet(0, dtype=torch.float64), smooth_images(3, dtype=torch.float64)
    together, alone = (maps_of(network, part, feature=feature, **options) for part in (images, images[1:2]))
    assert torch.allclose(together[1:2], alone, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("feature", OF_NETWORKS)
def test_an_explanation_leaves_no_trace(feature, create_graph):
    network, images = trained_unet(0).train(), smooth_images(1)
    network.last.weight.requires_grad_(False)
    before = hooks_and_modes(network)
    statistics = {name: buffer.clone() for name, buffer in network.named_buffers()}
    with torch.no_grad():
        maps = maps_of(network, images, create_graph, feature=feature)
        assert not torch.is_grad_enabled()
    assert maps.requires_grad == create_graph
    assert hooks_and_modes(network) == before
    assert not images.requires_grad and images.grad is None
    assert all(parameter.grad is None for parameter in network.parameters())
    assert all(torch.equal(buffer, statistics[name]) for name, buffer in network.named_buffers())


@pytest.mark.parametrize("feature", OF_NETWORKS)
def test_an_explanation_that_raises_leaves_no_trace(feature, monkeypatch):
    network = trained_unet(0).train()

    def fail(features):
        raise RuntimeError("no memory")

    monkeypatch.setattr(network.down[3], "forward", fail)
    before = hooks_and_modes(network)
    with pytest.raises(RuntimeError, match="no memory"):
        maps_of(network, smooth_images(1), feature=feature, **({"level": 4} if feature == "encoder" else {}))
    assert hooks_and_modes(network) == before


@pytest.mark.parametrize("feature", OF_NETWORKS)
def test_a_feature_of_a_network_needs_one(feature):
    with pytest.raises(InputError, match=f"The feature {feature} explains a network, but none is given"):
        maps_of(None, smooth_images(1), feature=feature)


@pytest.mark.parametrize("feature", ["encoder", "grad_cam"])
def test_levels_of_other_networks_are_refused(feature):
    with pytest.raises(InputError, match="Levels can be explained of the U-Net alone, not of Sequential"):
        maps_of(small_network(1.0, 1.0), smooth_images(1), feature=feature)


@pytest.mark.parametrize("feature", IN_IMAGES)
def test_images_of_another_type_are_refused(feature):
    with pytest.raises(InputError, match="must have shape"):
        maps_of(trained_unet(0), torch.rand(1, 32, 32), feature=feature)


def test_the_annotated_lesions_cannot_be_found_in_images():
    with pytest.raises(InputError, match="The feature mask cannot be found in images"):
        maps_of(None, smooth_images(1), feature="mask")


def test_every_feature_is_described():
    for name, feature in FEATURES.items():
        assert feature.summary.endswith("."), name
        assert feature.title and feature.equation.startswith("F") and feature.cites

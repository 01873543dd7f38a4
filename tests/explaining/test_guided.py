import captum.attr
import numpy as np
import pytest
import torch
from torch import nn

from fplbench.errors import InputError
from fplbench.explaining.guided import ACTIVATIONS, READOUTS, guided_backprop
from fplbench.losses import feature_preserving_loss
from fplbench.networks import UNet
from fplbench.networks.unet import fold_batch_norm
from tests.explaining.networks import ReadOut, hooks_and_modes, smooth_images, trained_unet


@pytest.mark.filterwarnings("ignore:Setting backward hooks")
@pytest.mark.parametrize("readout", READOUTS)
@pytest.mark.parametrize("seed", range(3))
def test_relu_maps_equal_captums_guided_backprop(readout, seed):
    network = trained_unet(seed)
    images = smooth_images(3)
    expected = captum.attr.GuidedBackprop(ReadOut(network, readout)).attribute(images.clone().requires_grad_())
    maps = guided_backprop(network, images, readout, "relu")
    scale = expected.abs().amax(dim=(1, 2, 3), keepdim=True)
    assert scale.min() > 0
    assert ((maps - expected).abs() / scale).max() < 1e-5


def test_relu_maps_of_one_layer_by_hand():
    # f(x) = -ReLU(x) + 2 ReLU(-x) for each pixel, summed. The gradient at the first ReLU is -1 and is blocked. At the second
    # it is 2 and passes where -x > 0, so the map is 2 * (-1) there and 0 elsewhere.
    network = nn.Sequential(nn.Conv2d(1, 2, 1, bias=False), nn.ReLU(), nn.Conv2d(2, 1, 1, bias=False))
    network[0].weight.data = torch.tensor([1.0, -1.0]).view(2, 1, 1, 1)
    network[2].weight.data = torch.tensor([-1.0, 2.0]).view(1, 2, 1, 1)
    maps = guided_backprop(network, torch.tensor([[[[0.5, -0.25]]]]), "sum", "relu")
    assert maps.tolist() == [[[[0.0, -2.0]]]]


def test_softplus_map_of_one_layer_by_hand():
    # The derivative of softplus is sigmoid(beta z), so the map is 2 * (-1) * sigmoid(-beta x).
    network = nn.Sequential(nn.Conv2d(1, 1, 1, bias=False), nn.ReLU(), nn.Conv2d(1, 1, 1, bias=False))
    network[0].weight.data.fill_(-1.0)
    network[2].weight.data.fill_(2.0)
    maps = guided_backprop(network, torch.tensor([[[[0.1, -0.1]]]]), "sum", "softplus", beta=10.0)
    assert maps.flatten().tolist() == pytest.approx([-2 / (1 + np.e), -2 * np.e / (1 + np.e)])


def restoration_unet(seed: int) -> UNet:
    """A U-Net trained briefly to reproduce clean images, as the restoration network is."""
    torch.manual_seed(seed)
    network = UNet(8)
    optimizer = torch.optim.Adam(network.parameters(), 4e-3)
    for _ in range(60):
        images = smooth_images(4)
        optimizer.zero_grad()
        (network(images) - images).square().mean().backward()
        optimizer.step()
    return network.eval()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.slow
def test_softplus_maps_are_close_to_the_relu_maps_at_the_default_beta(seed):
    network = restoration_unet(seed)
    images = smooth_images(4)
    smooth, sharp = guided_backprop(network, images), guided_backprop(network, images, activation="relu")
    cosines = nn.functional.cosine_similarity(smooth.flatten(1), sharp.flatten(1))
    assert cosines.min() >= 0.99


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("readout", READOUTS)
def test_the_map_of_an_image_does_not_depend_on_the_batch(readout, activation):
    network = trained_unet(0, dtype=torch.float64)
    images = smooth_images(3, dtype=torch.float64)
    alone = guided_backprop(network, images[1:2], readout, activation)
    assert torch.allclose(guided_backprop(network, images, readout, activation)[1:2], alone, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("readout", READOUTS)
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.slow
def test_the_gradient_of_the_loss_equals_finite_differences(seed, readout, activation):
    if (readout, activation) == ("sum", "relu"):
        pytest.skip("zero almost everywhere; see the next test")
    network = trained_unet(seed, dtype=torch.float64).requires_grad_(False)
    clean = smooth_images(2, dtype=torch.float64)
    clean_maps = guided_backprop(network, clean, readout, activation)

    def loss(images: torch.Tensor, create_graph: bool = False) -> torch.Tensor:
        maps = guided_backprop(network, images, readout, activation, create_graph=create_graph)
        return feature_preserving_loss(maps, clean_maps, normalise=True)

    denoised = (clean + 0.05 * torch.randn_like(clean)).requires_grad_()
    (gradient,) = torch.autograd.grad(loss(denoised, create_graph=True), denoised)
    # Max pooling and the gates switch at isolated points; the step is small enough not to cross one.
    step = 1e-8
    for _ in range(3):
        direction = torch.randn_like(clean)
        with torch.no_grad():
            difference = float(loss(denoised + step * direction) - loss(denoised - step * direction)) / (2 * step)
        assert float((gradient * direction).sum()) == pytest.approx(difference, rel=1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_with_relu_and_sum_the_gradient_of_the_loss_is_zero(seed):
    network = trained_unet(seed).requires_grad_(False)
    images = smooth_images(2).requires_grad_()
    maps = guided_backprop(network, images, "sum", "relu", create_graph=True)
    loss = feature_preserving_loss(maps, torch.zeros_like(maps))
    assert float(loss.detach()) > 0
    (gradient,) = torch.autograd.grad(loss, images, allow_unused=True, materialize_grads=True)
    assert torch.count_nonzero(gradient) == 0


@pytest.mark.parametrize("create_graph", [False, True])
def test_a_call_leaves_no_trace(create_graph):
    network = trained_unet(0).train()
    network.last.weight.requires_grad_(False)
    before = hooks_and_modes(network)
    images = smooth_images(1)
    with torch.no_grad():
        guided_backprop(network, images, create_graph=create_graph)
        assert not torch.is_grad_enabled()
    assert hooks_and_modes(network) == before
    assert not images.requires_grad and images.grad is None
    assert all(parameter.grad is None for parameter in network.parameters())


def test_a_call_that_raises_leaves_no_trace():
    network = trained_unet(0).train()
    before = hooks_and_modes(network)
    with pytest.raises(InputError, match="multiples of 16"):
        guided_backprop(network, torch.rand(1, 1, 30, 30))
    assert hooks_and_modes(network) == before


def test_a_later_backward_pass_is_not_clamped():
    # d/dw of sum(w x) through a ReLU: the ordinary gradient is negative, and must remain so after an explanation.
    network = nn.Sequential(nn.Conv2d(1, 1, 1, bias=False), nn.ReLU())
    network[0].weight.data.fill_(1.0)
    images = torch.ones(1, 1, 2, 2, requires_grad=True)
    guided_backprop(network, images, activation="relu", create_graph=True)
    (-network(images).sum()).backward()
    assert network[0].weight.grad.item() == -4.0


def test_a_black_image_has_a_finite_map_and_loss():
    network = trained_unet(0)
    black = torch.zeros(1, 1, 32, 32, requires_grad=True)
    maps = guided_backprop(network, black, create_graph=True)
    loss = feature_preserving_loss(maps, guided_backprop(network, torch.zeros(1, 1, 32, 32)), normalise=True)
    assert torch.isfinite(maps).all() and float(loss.detach()) == 0.0


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_folding_batch_norm_changes_neither_the_network_nor_its_map(activation):
    network = trained_unet(1, dtype=torch.float64)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    images = smooth_images(2, dtype=torch.float64)
    expected = guided_backprop(network, images, activation=activation)
    assert torch.allclose(guided_backprop(fold_batch_norm(network), images, activation=activation), expected, rtol=1e-9)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


@pytest.mark.parametrize("readout", READOUTS)
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.slow
def test_the_gradient_of_the_loss_through_folded_batch_norms_is_that_through_the_network(seed, readout):
    # The folded copy has its own implementation of convolutions; the reference is torch's double backward.
    network = trained_unet(seed, dtype=torch.float64).requires_grad_(False)
    images = smooth_images(2, dtype=torch.float64).requires_grad_()
    target = torch.randn_like(images)

    def gradient(explained: nn.Module) -> torch.Tensor:
        maps = guided_backprop(explained, images, readout, create_graph=True)
        return torch.autograd.grad(feature_preserving_loss(maps, target), images)[0]

    expected = gradient(network)
    assert expected.abs().max() > 0
    assert torch.allclose(gradient(fold_batch_norm(network)), expected, rtol=1e-8, atol=1e-10 * float(expected.abs().max()))

import pytest
import torch

from fplbench.networks import DRUNet

# The published state dictionary (drunet_gray.pth of cszn/KAIR), derived from the description of the architecture.
RESIDUAL = [("down1", 64, range(4)), ("down2", 128, range(4)), ("down3", 256, range(4)), ("body", 512, range(4))]
RESIDUAL += [("up3", 256, range(1, 5)), ("up2", 128, range(1, 5)), ("up1", 64, range(1, 5))]
PUBLISHED = {
    f"m_{part}.{block}.res.{layer}.weight": (channels, channels, 3, 3)
    for part, channels, blocks in RESIDUAL
    for block in blocks
    for layer in (0, 2)
} | {
    "m_head.weight": (64, 2, 3, 3),
    "m_down1.4.weight": (128, 64, 2, 2),
    "m_down2.4.weight": (256, 128, 2, 2),
    "m_down3.4.weight": (512, 256, 2, 2),
    "m_up3.0.weight": (512, 256, 2, 2),
    "m_up2.0.weight": (256, 128, 2, 2),
    "m_up1.0.weight": (128, 64, 2, 2),
    "m_tail.weight": (1, 64, 3, 3),
}


def small(seed=0):
    torch.manual_seed(seed)
    return DRUNet(width=8, blocks=2).double().eval()


def test_the_tensors_are_the_published_ones():
    tensors = DRUNet().state_dict()
    assert {name: tuple(tensor.shape) for name, tensor in tensors.items()} == PUBLISHED
    assert len(tensors) == 64
    assert sum(tensor.numel() for tensor in tensors.values()) == 32_638_656


@pytest.mark.parametrize("factor", [0.25, 3.0])
def test_scaling_image_and_level_scales_the_result(factor):
    network, images, level = small(), torch.rand(2, 1, 24, 32).double(), torch.full((2, 1, 24, 32), 0.1).double()
    with torch.inference_mode():
        torch.testing.assert_close(network(factor * images, factor * level), factor * network(images, level))


def test_one_level_for_each_image_is_a_constant_map():
    network, images, levels = small(), torch.rand(2, 1, 16, 16).double(), torch.tensor([0.05, 0.2]).double()
    with torch.inference_mode():
        broadcast = network(images, levels.view(2, 1, 1, 1))
        for image, level, result in zip(images, levels, broadcast, strict=True):
            torch.testing.assert_close(network(image[None], level.expand(1, 1, 16, 16))[0], result)


def test_the_constructor_arguments_build_the_network_again():
    network = DRUNet(width=8, blocks=3)
    assert network.config == {"width": 8, "blocks": 3}
    assert DRUNet(**network.config).state_dict().keys() == network.state_dict().keys()


def test_equals_deepinv_with_the_same_weights():
    """deepinv (BSD-3) adapted DRUNet from its authors' code, independently of this implementation."""
    models = pytest.importorskip("deepinv.models")
    peer = models.DRUNet(in_channels=1, out_channels=1, pretrained=None).eval()
    network = DRUNet().eval()
    network.load_state_dict(peer.state_dict(), strict=True)
    images = torch.rand(2, 1, 64, 48, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected = peer(images, sigma=15 / 255)
        result = network(images, torch.full((1, 1, 1, 1), 15 / 255))
    scale = expected.abs().max()  # with the peer's initial weights the output is small
    torch.testing.assert_close(result / scale, expected / scale, rtol=1e-5, atol=1e-5)

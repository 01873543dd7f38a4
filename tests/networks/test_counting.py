"""Parameters and operations of networks, against hand counts and papers."""

import pytest
import torch
from torch import nn

from fplbench.networks import DRUNet, UNet
from fplbench.networks.counting import Count, count
from fplbench.peers import PEERS, build


def test_a_convolution_costs_two_operations_for_each_weight_and_pixel():
    network = nn.Sequential(nn.Conv2d(1, 6, 3, padding=1, bias=False), nn.Conv2d(6, 1, 5, stride=2, padding=2, bias=False))
    # 6 filters of 9 weights at 20 x 30 pixels; one of 6 x 25 at a quarter of them.
    assert count(network, 20, 30) == Count(54 + 150, 2 * (54 * 600 + 150 * 150))


def test_the_papers_unet_takes_79_8_billion_operations_for_256_pixels():
    # By hand, levels of 256, 128, 64, 32 and 16 pixels a side: 3 x 3 convolutions from -> to channels, and the last one.
    levels = {256: [(1, 64), (64, 64), (128, 64), (64, 64)], 128: [(64, 128), (128, 128), (256, 128), (128, 64)],
              64: [(128, 256), (256, 256), (512, 256), (256, 128)], 32: [(256, 512), (512, 512), (1024, 512), (512, 256)],
              16: [(512, 512), (512, 512)]}  # fmt: skip
    products = sum(side**2 * 9 * inputs * outputs for side, pairs in levels.items() for inputs, outputs in pairs)
    expected = 2 * (products + 256**2 * 64)
    found = count(UNet(64), 256, 256)
    assert found == Count(17_261_825, expected)
    assert found.operations == pytest.approx(79.8e9, rel=1e-3)


def test_counting_leaves_the_network_as_it_was():
    network = UNet(2).train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    count(network, 32, 32)
    assert network.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_drunet_is_counted_with_its_level():
    """Width 4 with one block in each of its seven places, on 32x40 pixels: height times width of each scale."""
    widths, pixels = [4, 8, 16, 32], [32 * 40 // 4**scale for scale in range(4)]
    head_and_tail = 9 * (2 * 4 + 4)
    places = [0, 1, 2, 3, 2, 1, 0]
    blocks = [2 * 9 * widths[scale] ** 2 for scale in places]
    steps = [4 * widths[scale] * widths[scale + 1] for scale in range(3)]  # 2x2, down and up alike
    products = head_and_tail * pixels[0] + sum(size * pixels[scale] for size, scale in zip(blocks, places, strict=True))
    # A step down computes each pixel of the smaller image from four; a step up computes four from each pixel of the smaller one.
    products += 2 * sum(step * pixels[scale + 1] for scale, step in enumerate(steps))
    expected = Count(head_and_tail + sum(blocks) + 2 * sum(steps), 2 * products)
    assert count(DRUNet(width=4, blocks=1), 32, 40) == expected


# What the papers, or their authors' code for colour images, give; ours have one channel.
PUBLISHED = {
    "red_cnn": 1.85e6,  # by the paper's description, Chen et al. 2017, section II
    "dncnn": 0.56e6,  # 17 layers: Zhang et al. 2017; often cited so
    "restormer": 26.12e6,  # table of Zamir et al. 2022, supplement
    "nafnet": 29.16e6,  # authors' network of width 32 for SIDD
    "swinir": 11.5e6,  # Liang et al. 2021, 180 channels
}


@pytest.mark.parametrize(("name", "parameters"), PUBLISHED.items())
def test_the_default_is_the_network_of_the_paper(name, parameters):
    if reason := PEERS[name].unusable():
        pytest.skip(reason)
    assert sum(parameter.numel() for parameter in build(name, {}).parameters()) == pytest.approx(
        parameters, rel=1e-2
    )  # papers round


def test_nafnet_takes_the_16_billion_products_of_its_paper():
    if reason := PEERS["nafnet"].unusable():
        pytest.skip(reason)
    assert count(build("nafnet", {}), 256, 256).operations / 2 == pytest.approx(16e9, rel=1e-2)

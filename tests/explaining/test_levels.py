"""Levels of an encoder, as networks of their own and while a network runs."""

import pytest
import torch
from torch import nn

from fplbench.errors import InputError
from fplbench.explaining.levels import Encoder, at_level, kept_features
from tests.explaining.networks import hooks_and_modes, smooth_images, trained_unet


@pytest.mark.parametrize("level", range(5))
def test_a_level_is_the_same_alone_and_while_the_network_runs(level):
    network, images = trained_unet(0), smooth_images(2)
    before = hooks_and_modes(network)
    with torch.no_grad(), kept_features(network, level) as kept:
        network(images)
    assert hooks_and_modes(network) == before
    assert len(kept) == 1 and torch.equal(kept[0], Encoder(network, level)(images))
    assert kept[0].shape == (2, 4 * (1, 2, 4, 8, 8)[level], 32 >> level, 32 >> level)


def test_an_encoder_shares_the_modules_of_the_network():
    network = trained_unet(0)
    assert next(Encoder(network, 2).parameters()) is network.first[0].weight
    assert len(list(Encoder(network, 2).parameters())) == 18  # three blocks of two convolutions and batch norms


def test_no_level_is_the_whole_network():
    network = trained_unet(0)
    assert at_level(network, None) is network


def test_other_networks_have_no_levels():
    with pytest.raises(InputError, match="Levels can be explained of the U-Net alone, not of Conv2d"):
        at_level(nn.Conv2d(1, 1, 1), 0)

"""Levels of an encoder as networks of their own."""

import torch
from torch import nn

from fplbench.errors import InputError
from fplbench.networks.unet import UNet


def at_level(network: nn.Module, level: int | None) -> nn.Module:
    """The part of a U-Net from the image to a level of its encoder; None: the whole network."""
    return network if level is None else Encoder(network, level)


class Encoder(nn.Module):
    """The first levels of a U-Net's encoder, which share its modules.

    Args:
        network: the U-Net.
        level: the last level, 0 at full resolution to 4.

    Raises:
        InputError: the network is not a U-Net.
    """

    def __init__(self, network: nn.Module, level: int) -> None:
        super().__init__()
        if not isinstance(network, UNet):
            raise InputError(f"Levels can be explained of the U-Net alone, not of {type(network).__name__}.")
        self.first, self.pool = network.first, network.pool
        self.down = nn.ModuleList(list(network.down)[:level])

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map images (N, 1, H, W) to features (N, C, H / 2^level, W / 2^level)."""
        features = self.first(images)
        for block in self.down:
            features = block(self.pool(features))
        return features

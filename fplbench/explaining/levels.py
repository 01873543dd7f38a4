"""Levels of an encoder as networks of their own."""

from collections.abc import Iterator
from contextlib import contextmanager

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
        network = _unet(network)
        self.first, self.pool = network.first, network.pool
        self.down = nn.ModuleList(list(network.down)[:level])

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map images (N, 1, H, W) to features (N, C, H / 2^level, W / 2^level)."""
        features = self.first(images)
        for block in self.down:
            features = block(self.pool(features))
        return features


@contextmanager
def kept_features(network: nn.Module, level: int) -> Iterator[list[torch.Tensor]]:
    """Keep the features of a level of a U-Net's encoder, after its last ReLU, within this context.

    Yields:
        A list that gets the features (N, C, H / 2^level, W / 2^level) whenever the network runs.

    Raises:
        InputError: the network is not a U-Net.
    """
    network = _unet(network)
    block = network.down[level - 1] if level else network.first
    kept: list[torch.Tensor] = []
    handle = block.register_forward_hook(lambda module, inputs, output: kept.append(output))
    try:
        yield kept
    finally:
        handle.remove()


def _unet(network: nn.Module) -> UNet:
    if not isinstance(network, UNet):
        raise InputError(f"Levels can be explained of the U-Net alone, not of {type(network).__name__}.")
    return network

"""How large a network is, and how much it computes."""

import copy
from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


@dataclass(frozen=True)
class Count:
    """What a network costs.

    Attributes:
        parameters: trainable numbers.
        operations: floating-point operations of its convolutions and matrix products for one image; a multiplication and the
            addition that follows are two.
    """

    parameters: int
    operations: int


def count(network: nn.Module, height: int, width: int, *further: tuple[int, ...]) -> Count:
    """Count a network's parameters, and its operations for one image of (height, width) pixels.

    Nothing is computed: a copy of the network without data runs, of which torch's FlopCounterMode counts convolutions and matrix
    products.

    Args:
        network: maps images (1, 1, H, W); the sides must be ones that it accepts.
        height, width: of the image, pixels.
        further: shapes of further inputs, such as (1, 1, 1, 1) for DRUNet's level.
    """
    empty = copy.deepcopy(network).to("meta").eval()
    inputs = [torch.empty(shape, device="meta") for shape in ((1, 1, height, width), *further)]
    counter = FlopCounterMode(display=False)
    with torch.inference_mode(), counter:
        empty(*inputs)
    parameters = sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)
    return Count(parameters, counter.get_total_flops())

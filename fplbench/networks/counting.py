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


def count(network: nn.Module, height: int, width: int) -> Count:
    """Count a network's parameters, and its operations for one image of (height, width) pixels.

    Nothing is computed: a copy of the network without data runs, of which torch's FlopCounterMode counts convolutions and matrix
    products.

    Args:
        network: maps images (1, 1, H, W); what it takes besides has the shapes of its attribute `further_inputs`, if it has one.
        height, width: of the image, pixels; sides that the network accepts.
    """
    empty = copy.deepcopy(network).to("meta").eval()
    shapes = ((1, 1, height, width), *getattr(network, "further_inputs", ()))
    inputs = [torch.empty(shape, device="meta") for shape in shapes]
    counter = FlopCounterMode(display=False)
    with torch.inference_mode(), counter:
        empty(*inputs)
    parameters = sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)
    return Count(parameters, counter.get_total_flops())

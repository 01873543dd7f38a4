"""Images of a stack as tensors, and networks with seeded weights."""

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import torch
from torch import nn

from fplbench.seeds import generator

Network = TypeVar("Network", bound=nn.Module)


def as_images(stack: torch.Tensor, positions: torch.Tensor | tuple[torch.Tensor, ...]) -> torch.Tensor:
    """Images (N, 1, H, W) in [0, 1] at some positions of a uint8 stack (all, H, W) on the same device.

    The positions may also be a tuple of indices of images, rows and columns.
    """
    return stack[positions].unsqueeze(1).float().div_(255).contiguous(memory_format=torch.channels_last)


def seeded(build: Callable[[], Network], seed: int, device: torch.device) -> Network:
    """Build a network whose initial weights depend on the seed alone, without touching torch's global generator."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(generator(seed, "weights").integers(2**62)))
        network = build()
    return network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]


def random_square(images: torch.Tensor, side: int, draw: np.random.Generator) -> torch.Tensor:
    """The same random square of all images (..., H, W), at most `side` pixels wide."""
    side = min(side, *images.shape[-2:])
    top, left = (int(draw.integers(0, size - side + 1)) for size in images.shape[-2:])
    return images[..., top : top + side, left : left + side]

"""The paper's U-Net (section 3.3), used twice: to restore clean images, and to predict noise."""

import copy

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from fplbench.errors import InputError


class UNet(nn.Module):
    """U-Net with four Down and four Up modules and bilinear upsampling.

    Channels are 1, 2, 4, 8, 8 times `width` on the way down and 4, 2, 1, 1 times on the way up; each module convolves
    twice (3x3, no bias, batch norm, ReLU). At width 64 it has 17,261,825 parameters.

    Args:
        width: channels of the first level.

    Source:
        Ronneberger et al. 2015, in the bilinear variant that the paper's channel counts describe.
    """

    def __init__(self, width: int = 64):
        super().__init__()
        self.width = width
        self.config = {"width": width}
        self.first = double_convolution(1, width)
        self.down = nn.ModuleList(
            double_convolution(outer * width, inner * width) for outer, inner in [(1, 2), (2, 4), (4, 8), (8, 8)]
        )
        self.up = nn.ModuleList(
            double_convolution(inner * width, outer * width, middle=inner * width // 2)
            for inner, outer in [(16, 4), (8, 2), (4, 1), (2, 1)]
        )
        self.last = nn.Conv2d(width, 1, kernel_size=1)
        self.pool = nn.MaxPool2d(2)
        self.upsample = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map images (N, 1, H, W) to images of the same shape; H and W must be multiples of 16."""
        if images.ndim != 4 or images.shape[1] != 1 or images.shape[2] % 16 or images.shape[3] % 16:
            raise InputError(
                f"the U-Net takes images (N, 1, H, W) whose sides are multiples of 16, and got {tuple(images.shape)}."
            )
        levels = [self.first(images)]
        for block in self.down:
            levels.append(block(self.pool(levels[-1])))
        features = levels.pop()
        for block in self.up:
            features = block(torch.cat([levels.pop(), self.upsample(features)], dim=1))
        return self.last(features)


def double_convolution(inputs: int, outputs: int, middle: int | None = None) -> nn.Sequential:
    """Two 3x3 convolutions, each with batch norm and ReLU; `middle` channels between them (default: `outputs`)."""
    middle = middle or outputs
    return nn.Sequential(
        nn.Conv2d(inputs, middle, 3, padding=1, bias=False),
        nn.BatchNorm2d(middle),
        nn.ReLU(),
        nn.Conv2d(middle, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )


def fold_batch_norm(network: UNet) -> UNet:
    """A frozen copy in evaluation mode whose convolutions contain their batch norms: the same function, cheaper to differentiate.

    The second derivative of a batch norm costs more than that of the convolution before it.
    """
    folded = copy.deepcopy(network).eval()
    for block in [folded.first, *folded.down, *folded.up]:
        for position in (0, 3):
            block[position] = fuse_conv_bn_eval(block[position], block[position + 1])
            block[position + 1] = nn.Identity()
    return folded.requires_grad_(False)

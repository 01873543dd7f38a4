"""The U-Net of the paper (section 3.3), which restores clean images in one role and predicts noise in the other."""

import copy
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from fplbench.errors import InputError
from fplbench.networks.tiles import Place, doubled

UNET_MULTIPLE = 16
"""Height and width must be multiples of this, as the resolution is halved four times."""


class UNet(nn.Module):
    """U-Net with four Down and four Up modules and bilinear upsampling.

    The number of channels is 1, 2, 4, 8, 8 times `width` on the way down and 4, 2, 1, 1 times `width` on the way up. Each
    module has two 3x3 convolutions without bias, each followed by batch norm and ReLU. At width 64 the network has
    17,261,825 parameters.

    Args:
        width: number of channels of the first level.

    Source:
        Ronneberger et al. 2015, in the bilinear variant that has the number of channels given in the paper.
    """

    def __init__(self, width: int = 64) -> None:
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

    def forward(self, images: Tensor, place: Place | None = None) -> Tensor:
        """Map images (N, 1, H, W) to images of the same shape.

        Args:
            images: whole images or tiles, with H and W in multiples of 16.
            place: where tiles lie, in multiples of 16; None for whole images.

        Raises:
            InputError: the images have another shape.
        """
        if images.ndim != 4 or images.shape[1] != 1 or any(side % UNET_MULTIPLE for side in images.shape[2:]):
            raise InputError(
                f"The U-Net needs images (N, 1, H, W) with sides in multiples of {UNET_MULTIPLE}, but got {tuple(images.shape)}."
            )
        levels = [self.first(images)]
        for block in self.down:
            levels.append(block(self.pool(levels[-1])))
        features, scale = levels.pop(), UNET_MULTIPLE
        for block in self.up:
            coarse = place and Place(*(pixels // scale for pixels in place))
            features, scale = block(self.joined(levels.pop(), doubled(features, coarse))), scale // 2
        return self.last(features)

    def joined(self, fine: Tensor, coarse: Tensor) -> Tensor:
        """Concatenate the channels of features of one size, (N, C, H, W) each."""
        return torch.cat([fine, coarse], dim=1)


def double_convolution(inputs: int, outputs: int, middle: int | None = None) -> nn.Sequential:
    """Two 3x3 convolutions, each with batch norm and ReLU, and `middle` channels between them (default: `outputs`)."""
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
    """A frozen copy in evaluation mode with each batch norm folded into its convolution: the same function, but faster.

    The second derivative of a batch norm takes longer than that of the convolution before it.
    """
    folded = copy.deepcopy(network).eval().requires_grad_(False)
    for block in [folded.first, *folded.down, *folded.up]:
        for position in (0, 3):
            block[position] = FrozenConvolution(fuse_conv_bn_eval(block[position], block[position + 1]))
            block[position + 1] = nn.Identity()
    folded.add_module("last", FrozenConvolution(folded.last))
    folded.joined = _Join.apply  # type: ignore[method-assign]
    return folded


class FrozenConvolution(nn.Module):
    """A convolution with stride 1 and constant weights that keeps the size of the images.

    Its derivative is written as a convolution with the flipped kernel, because the second derivative of torch's own
    convolution also computes that of the weights, even if it is not needed.
    """

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        weight = convolution.weight.detach()
        self.padding = convolution.padding
        self.register_buffer("weight", weight)
        self.register_buffer("flipped", weight.flip(2, 3).transpose(0, 1).contiguous(memory_format=torch.channels_last))
        self.register_buffer("bias", None if convolution.bias is None else convolution.bias.detach())

    def forward(self, images: Tensor) -> Tensor:
        """Convolve images (N, C, H, W)."""
        return _Convolve.apply(images, self.weight, self.bias, self.flipped, self.padding)


class _Convolve(torch.autograd.Function):
    @staticmethod
    def forward(
        context: Any, images: Tensor, weight: Tensor, bias: Tensor | None, flipped: Tensor, padding: tuple[int, ...]
    ) -> Tensor:
        context.flipped, context.padding = flipped, padding
        return functional.conv2d(images, weight, bias, padding=padding)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, None, None, None, None]:
        return functional.conv2d(gradient, context.flipped, padding=context.padding), None, None, None, None


class _Join(torch.autograd.Function):
    """Concatenation of channels. Torch takes the second derivative of each part alone: it fills all other channels with zeros,
    and then adds the parts."""

    @staticmethod
    def forward(context: Any, fine: Tensor, coarse: Tensor) -> Tensor:
        context.channels = fine.shape[1]
        return torch.cat([fine, coarse], dim=1)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        return _Split.apply(gradient, context.channels)


class _Split(torch.autograd.Function):
    """The first channels, and the others. They are copied here at once; otherwise each operation that follows copies them."""

    @staticmethod
    def forward(context: Any, joined: Tensor, channels: int) -> tuple[Tensor, Tensor]:
        fine, coarse = joined[:, :channels], joined[:, channels:]
        layout = torch.channels_last
        return fine.contiguous(memory_format=layout), coarse.contiguous(memory_format=layout)

    @staticmethod
    @once_differentiable
    def backward(context: Any, fine: Tensor, coarse: Tensor) -> tuple[Tensor, None]:
        return torch.cat([fine, coarse], dim=1), None

"""DRUNet, the denoiser of DPIR (Zhang et al., "Plug-and-Play Image Restoration with Deep Denoiser Prior", 2021)."""

import torch
from torch import Tensor, nn


class ResidualBlock(nn.Module):
    """x + conv(ReLU(conv(x))), 3x3 convolutions without bias."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.res = nn.Sequential(_conv3(channels, channels), nn.ReLU(inplace=True), _conv3(channels, channels))

    def forward(self, features: Tensor) -> Tensor:
        """Map features (N, C, H, W) to the same shape."""
        return features + self.res(features)


class DRUNet(nn.Module):
    """Denoising U-Net of residual blocks for greyscale images, with the noise level as a second input.

    No layer has a bias, so that DRUNet(a x, a level) = a DRUNet(x, level) for all a > 0. The attribute names are those of
    the published weights, which DRUNet() can load unchanged: 64 tensors with 32,638,656 parameters.

    Args:
        width: number of channels at the finest scale; the coarsest of the four scales has eight times as many. Published: 64.
        blocks: number of residual blocks at each scale. Published: 4.
    """

    further_inputs = ((1, 1, 1, 1),)
    """Shapes of what it takes besides the images: the level, for `counting.count`."""

    def __init__(self, width: int = 64, blocks: int = 4) -> None:
        super().__init__()
        self.width, self.blocks = width, blocks
        one, two, four, eight = width, 2 * width, 4 * width, 8 * width
        self.m_head = _conv3(2, one)
        self.m_down1 = _down(one, two, blocks)
        self.m_down2 = _down(two, four, blocks)
        self.m_down3 = _down(four, eight, blocks)
        self.m_body = nn.Sequential(*_residual_blocks(eight, blocks))
        self.m_up3 = _up(eight, four, blocks)
        self.m_up2 = _up(four, two, blocks)
        self.m_up1 = _up(two, one, blocks)
        self.m_tail = _conv3(one, 1)

    @property
    def config(self) -> dict[str, int]:
        """The constructor arguments of this network."""
        return {"width": self.width, "blocks": self.blocks}

    def forward(self, images: Tensor, level_map: Tensor) -> Tensor:
        """Denoise images.

        Args:
            images: (N, 1, H, W) in [0, 1]; H and W are multiples of 8.
            level_map: standard deviation of the noise at each pixel, on the scale of the images (15 of 255 grey levels are
                15/255); (N, 1, H, W), or any shape that broadcasts to it.

        Returns:
            The denoised images (N, 1, H, W), not clipped.
        """
        scale1 = self.m_head(torch.cat([images, level_map.expand_as(images)], dim=1))
        scale2 = self.m_down1(scale1)
        scale3 = self.m_down2(scale2)
        scale4 = self.m_down3(scale3)
        features = self.m_body(scale4)
        features = self.m_up3(features + scale4)
        features = self.m_up2(features + scale3)
        features = self.m_up1(features + scale2)
        return self.m_tail(features + scale1)


def _conv3(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel_size=3, padding=1, bias=False)


def _residual_blocks(channels: int, blocks: int) -> list[nn.Module]:
    return [ResidualBlock(channels) for _ in range(blocks)]


def _down(inputs: int, outputs: int, blocks: int) -> nn.Sequential:
    """Residual blocks, followed by a layer that halves the resolution."""
    halve = nn.Conv2d(inputs, outputs, kernel_size=2, stride=2, bias=False)
    return nn.Sequential(*_residual_blocks(inputs, blocks), halve)


def _up(inputs: int, outputs: int, blocks: int) -> nn.Sequential:
    """A layer that doubles the resolution, followed by residual blocks."""
    double = nn.ConvTranspose2d(inputs, outputs, kernel_size=2, stride=2, bias=False)
    return nn.Sequential(double, *_residual_blocks(outputs, blocks))

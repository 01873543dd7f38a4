"""The network of CVF-SID (Neshatavar et al. 2022), which separates an image into a clean image and two kinds of noise."""

from itertools import pairwise

import torch
from torch import Tensor, nn


class CvfSid(nn.Module):
    """Cyclic multi-variate function: a network for the clean image, and one with two heads for the noise.

    An image is modelled as clean + clean * dependent + independent. The structure is the published one, written without the
    authors' code (docs/methods.md): 17 convolutions give the clean image, and 10 convolutions followed by 5 in each head
    give the two kinds of noise. As noise is assumed to have mean zero, the mean of each over the image is subtracted. All
    convolutions are 3x3, with ReLU between them.

    Args:
        width: number of channels of the hidden layers. Published: 64, which gives 1.18 million parameters for greyscale
            images.
        clean_layers: number of convolutions of the network for the clean image.
        noise_layers: number of convolutions that the two kinds of noise share.
        head_layers: number of convolutions of each head.
    """

    def __init__(self, width: int = 64, clean_layers: int = 17, noise_layers: int = 10, head_layers: int = 5) -> None:
        super().__init__()
        self.config = {
            "width": width,
            "clean_layers": clean_layers,
            "noise_layers": noise_layers,
            "head_layers": head_layers,
        }
        self.clean = _convolutions([1, *[width] * (clean_layers - 1), 1])
        self.noise = nn.Sequential(_convolutions([1, *[width] * noise_layers]), nn.ReLU())
        self.dependent = _convolutions([*[width] * head_layers, 1])
        self.independent = _convolutions([*[width] * head_layers, 1])

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Separate images into clean images and noise.

        Args:
            images: (N, 1, H, W) in [0, 1].

        Returns:
            Clean images, signal-dependent noise and independent noise, each (N, 1, H, W); see `compose`.
        """
        features = self.noise(images)
        return self.denoise(images), _centred(self.dependent(features)), _centred(self.independent(features))

    def denoise(self, images: Tensor) -> Tensor:
        """The clean images only."""
        return self.clean(images)


def compose(clean: Tensor, dependent: Tensor | float, independent: Tensor | float) -> Tensor:
    """The image that consists of these parts: clean + clean * dependent + independent."""
    return clean + clean * dependent + independent


def _convolutions(channels: list[int]) -> nn.Sequential:
    """3x3 convolutions with these numbers of channels, and ReLU between them."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(channels):
        layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def _centred(noise: Tensor) -> Tensor:
    return noise - torch.mean(noise, dim=(2, 3), keepdim=True)

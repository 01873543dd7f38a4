"""Small networks and images to explain."""

import torch
from torch import nn

from fplbench.explaining.guided import READOUTS
from fplbench.networks import UNet


def trained_unet(seed: int, width: int = 4, dtype=torch.float32) -> UNet:
    """A U-Net whose batch norms have seen images, so that their statistics and affine parameters are not trivial."""
    torch.manual_seed(seed)
    network = UNet(width).to(dtype)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.2)
            nn.init.normal_(module.bias, 0.0, 0.5)
    # Mostly positive, and so is the output: only a positive gradient passes the last ReLU.
    nn.init.uniform_(network.last.weight, -0.5, 1.0)
    nn.init.constant_(network.last.bias, 5.0)
    with torch.no_grad():
        for _ in range(30):
            network(smooth_images(4, dtype=dtype))
    return network.eval()


def smooth_images(count: int, side: int = 32, dtype=torch.float32) -> torch.Tensor:
    coarse = torch.rand(count, 1, side // 4, side // 4, dtype=dtype)
    return nn.functional.interpolate(coarse, scale_factor=4, mode="bicubic").clamp(0, 1)


class ReadOut(nn.Module):
    """A network with one scalar output for each image, as captum needs it."""

    def __init__(self, network: nn.Module, readout: str):
        super().__init__()
        self.network, self.readout = network, readout

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return torch.stack([READOUTS[self.readout](output) for output in self.network(images)])


def hooks_and_modes(network: nn.Module) -> list:
    """What an explanation must leave as it was."""
    return [
        (len(module._forward_hooks), len(module._backward_hooks), len(module._forward_pre_hooks), module.training, *vars(module))
        for module in network.modules()
    ] + [parameter.requires_grad for parameter in network.parameters()]

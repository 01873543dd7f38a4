"""The paper's denoiser: a U-Net that predicts the noise, trained with the residual and the feature preserving loss."""

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from fplbench.training.denoiser import DenoiserOptions, train_denoiser
from fplbench.training.registry import Inputs, training

if TYPE_CHECKING:
    import torch

    from fplbench.networks.unet import UNet


class FplOptions(DenoiserOptions):
    """Options of the denoiser with the feature preserving loss."""

    features: bool = Field(True, description="Train with features of the clean images, F_clean, as feature_use says.")


@training(
    "fpl",
    options=FplOptions,
    inputs=("clean", "noisy", "validation_clean", "validation_noisy", "explained", "features"),
    per=("dataset", "noise"),
)
def fpl(inputs: Inputs, out: Path, options: FplOptions, seed: int, device: str) -> None:
    """Train a denoiser with the residual loss and the feature preserving loss (Dong and Basu 2023)."""
    train_denoiser("fpl", lambda: identity_unet(options.width), "noise", inputs, out, options, seed, device)


def new_denoiser(width: int, seed: int, device: "torch.device") -> "UNet":
    """The U-Net of `identity_unet` with weights that depend on the seed alone, on a device."""
    from fplbench.training.loop.tensors import seeded

    return seeded(lambda: identity_unet(width), seed, device)


def identity_unet(width: int) -> "UNet":
    """A U-Net whose last layer is zero: it predicts no noise at first, so the denoiser starts as the identity."""
    from torch import nn

    from fplbench.networks.unet import UNet

    network = UNet(width)
    for parameter in network.last.parameters():
        nn.init.zeros_(parameter)
    return network

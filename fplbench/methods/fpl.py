"""The paper's method: a U-Net trained with the feature preserving loss."""

from pathlib import Path

import numpy as np
from pydantic import Field

from fplbench.denoising.registry import method
from fplbench.device import Device
from fplbench.errors import InputError
from fplbench.networks.inference import load_network, pad_to_multiple, to_tensor, to_uint8
from fplbench.options import Options
from fplbench.stacks import iterate


class ResidualOptions(Options):
    """Options of a trained U-Net that predicts the noise."""

    weights: Path | None = Field(None, description="Weight file of the trained denoiser; set by the workflow.")
    device: Device = Field("auto", description="Where to compute.")
    batch: int = Field(8, ge=1, description="Images in each pass through the network.")


@method("fpl", label="FPL", cites="dong2023", options=ResidualOptions, group="networks", weights="fpl")
def fpl(noisy: np.ndarray, options: ResidualOptions) -> np.ndarray:
    """The noisy image minus the noise that the U-Net predicts (Dong and Basu 2023)."""
    return subtract_predicted_noise(noisy, options, "fpl")


def subtract_predicted_noise(noisy: np.ndarray, options: ResidualOptions, method: str) -> np.ndarray:
    """Denoise with a U-Net whose output is the noise: denoised = noisy - network(noisy)."""
    import torch

    from fplbench.networks.unet import UNET_MULTIPLE, UNet

    if options.weights is None:
        raise InputError(f"The method {method!r} needs its option weights: a weight file that `fplbench train {method}` wrote.")
    network = load_network(options.weights, UNet, options.device, output="noise")
    device = next(network.parameters()).device
    height, width = noisy.shape[1:]
    padded = pad_to_multiple(noisy, UNET_MULTIPLE)
    denoised = np.empty_like(noisy)
    with torch.inference_mode():
        for batch in iterate(noisy, options.batch):
            images = to_tensor(padded[batch], device)
            denoised[batch] = to_uint8(images - network(images))[:, :height, :width]
    return denoised

"""The paper's method: a U-Net trained with the feature preserving loss."""

import numpy as np

from fplbench.denoising.learned import LearnedOptions, run_denoiser
from fplbench.denoising.registry import method


@method("fpl", label="FPL", cites="dong2023", options=LearnedOptions, group="networks", weights="fpl")
def fpl(noisy: np.ndarray, options: LearnedOptions) -> np.ndarray:
    """The noisy image minus the noise that the U-Net predicts (Dong and Basu 2023)."""
    return subtract_predicted_noise(noisy, options, "fpl")


def subtract_predicted_noise(noisy: np.ndarray, options: LearnedOptions, method: str) -> np.ndarray:
    """Denoise with a U-Net whose output is the noise: denoised = noisy - network(noisy)."""
    from fplbench.networks.unet import UNET_MULTIPLE, UNet

    return run_denoiser(noisy, options, method, UNet, "noise", UNET_MULTIPLE)

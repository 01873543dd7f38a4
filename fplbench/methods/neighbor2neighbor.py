"""Neighbor2Neighbor: the U-Net of FPL, trained on noisy images alone."""

import numpy as np

from fplbench.denoising.learned import LearnedOptions
from fplbench.denoising.registry import method
from fplbench.methods.fpl import subtract_predicted_noise


@method(
    "neighbor2neighbor",
    label="Neighbor2Neighbor",
    cites="huang2021",
    options=LearnedOptions,
    group="networks",
    weights="neighbor2neighbor",
)
def neighbor2neighbor(noisy: np.ndarray, options: LearnedOptions) -> np.ndarray:
    """The image minus its noise, which a U-Net learned to predict from neighbours in noisy images (Huang et al. 2021)."""
    return subtract_predicted_noise(noisy, options, "neighbor2neighbor")

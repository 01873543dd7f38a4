"""Noise2Void: the U-Net of FPL, trained on noisy images alone."""

import numpy as np

from fplbench.denoising.learned import LearnedOptions
from fplbench.denoising.registry import method
from fplbench.methods.fpl import subtract_predicted_noise


@method("noise2void", label="Noise2Void", cites="krull2019", options=LearnedOptions, group="networks", weights="noise2void")
def noise2void(noisy: np.ndarray, options: LearnedOptions) -> np.ndarray:
    """The image minus its noise, which a U-Net learned to predict from hidden pixels of noisy images (Krull et al. 2019)."""
    return subtract_predicted_noise(noisy, options, "noise2void")

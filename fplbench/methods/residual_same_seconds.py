"""The paper's U-Net without the paper's loss, for the same time: its steps are cheaper, so it has more of them."""

import numpy as np

from fplbench.denoising.learned import LearnedOptions
from fplbench.denoising.registry import method
from fplbench.methods.fpl import subtract_predicted_noise


@method(
    "residual_same_seconds",
    label="U-Net, same seconds",
    cites="zhang2017",
    options=LearnedOptions,
    group="networks",
    weights="residual_same_steps",
    budget="seconds",
)
def residual_same_seconds(noisy: np.ndarray, options: LearnedOptions) -> np.ndarray:
    """The U-Net of FPL trained with the residual loss alone, as DnCNN is (Zhang et al. 2017), for as many seconds."""
    return subtract_predicted_noise(noisy, options, "residual_same_seconds")

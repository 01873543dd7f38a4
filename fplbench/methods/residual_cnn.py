"""The paper's U-Net without the paper's loss: what the feature preserving loss must beat."""

import numpy as np

from fplbench.denoising.registry import method
from fplbench.methods.fpl import ResidualOptions, subtract_predicted_noise


@method("residual_cnn", label="Res. CNN", cites="zhang2017", options=ResidualOptions, group="networks", weights="residual_cnn")
def residual_cnn(noisy: np.ndarray, options: ResidualOptions) -> np.ndarray:
    """The U-Net of FPL trained with the residual loss alone, as DnCNN is (Zhang et al. 2017)."""
    return subtract_predicted_noise(noisy, options, "residual_cnn")

"""The control of the paper's loss: FPL's U-Net trained without it, as DnCNN is (Zhang et al. 2017)."""

from pathlib import Path

from fplbench.training.fpl import FplOptions, train_residual
from fplbench.training.registry import Inputs, training


@training("residual_cnn", options=FplOptions, inputs=("clean", "noisy"), per=("dataset", "noise"), inherits="fpl")
def residual_cnn(inputs: Inputs, out: Path, options: FplOptions, seed: int, device: str) -> None:
    """Train the denoiser of FPL with the residual loss alone, whatever its options say of L_FP."""
    train_residual(inputs, out, options.without_features(), seed, device)

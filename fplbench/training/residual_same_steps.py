"""The control of the paper's loss: FPL's U-Net trained without it, as DnCNN is (Zhang et al. 2017)."""

from pathlib import Path

from fplbench.training.denoiser import train_denoiser
from fplbench.training.fpl import FplOptions, identity_unet
from fplbench.training.registry import Inputs, training


@training(
    "residual_same_steps",
    options=FplOptions,
    inputs=("clean", "noisy", "validation_clean", "validation_noisy"),
    per=("dataset", "noise"),
    inherits="fpl",
)
def residual_same_steps(inputs: Inputs, out: Path, options: FplOptions, seed: int, device: str) -> None:
    """Train the denoiser of FPL with the residual loss alone, whatever its options say of L_FP."""
    options = options.without_features()
    train_denoiser("residual_same_steps", lambda: identity_unet(options.width), "noise", inputs, out, options, seed, device)

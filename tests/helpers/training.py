"""Small stacks to train on, and trainings of a few steps."""

from pathlib import Path

import numpy as np

from fplbench.explaining.maps import write_features
from fplbench.stacks import write_stack
from fplbench.training import train

TINY = {"width": 2, "steps": 6, "batch": 2, "warm_up": 2, "log_every": 2, "save_every": 2}
EXPLANATION = {"readout": "sum", "activation": "softplus", "beta": 100.0}


def write_stacks(folder: Path) -> None:
    """Write a clean and a noisy stack, a restoration network, and its features."""
    random = np.random.default_rng(0)
    rows, columns = np.mgrid[:32, :32]
    clean = np.stack([128 + 100 * np.sin((rows * i + columns) / 9) for i in range(1, 7)])
    noisy = clean + random.normal(0, 20, clean.shape)
    for name, images in [("clean", clean), ("noisy", noisy)]:
        write_stack(folder / f"{name}.npy", images.clip(0, 255).astype(np.uint8))
    restoration = folder / "restoration.safetensors"
    train("restoration", {"clean": folder / "clean.npy"}, restoration, TINY, seed=1, device="cpu")
    write_features(restoration, folder / "clean.npy", folder / "features.npy", device="cpu", **EXPLANATION)


def train_fpl(stacks: Path, out: Path, seed: int = 1, **options: object) -> None:
    """Train a denoiser on the stacks of `write_stacks`, for six steps unless the options say otherwise."""
    inputs = {
        "clean": stacks / "clean.npy",
        "noisy": stacks / "noisy.npy",
        "restoration": stacks / "restoration.safetensors",
        "features": stacks / "features.npy",
    }
    train("fpl", inputs, out, {**TINY, **options}, seed=seed, device="cpu")

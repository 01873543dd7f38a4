import numpy as np
import pytest

from fplbench.explaining.maps import write_features
from fplbench.stacks import write_stack
from fplbench.training.options import TrainingOptions
from fplbench.training.stages import train_restoration

TINY = {"width": 2, "steps": 6, "batch": 2, "warm_up": 2, "log_every": 2, "save_every": 2}


@pytest.fixture(scope="session")
def stacks(tmp_path_factory):
    """A folder with a clean and a noisy stack, a restoration network, and its features."""
    folder = tmp_path_factory.mktemp("stacks")
    random = np.random.default_rng(0)
    rows, columns = np.mgrid[:32, :32]
    clean = np.stack([128 + 100 * np.sin((rows * i + columns) / 9) for i in range(1, 7)])
    noisy = clean + random.normal(0, 20, clean.shape)
    for name, images in [("clean", clean), ("noisy", noisy)]:
        write_stack(folder / f"{name}.npy", images.clip(0, 255).astype(np.uint8))
    train_restoration(folder / "clean.npy", folder / "restoration.safetensors", TrainingOptions(**TINY), seed=1, device="cpu")
    explanation = {"readout": "sum", "activation": "softplus", "beta": 100.0}
    write_features(folder / "restoration.safetensors", folder / "clean.npy", folder / "features.npy", device="cpu", **explanation)
    return folder

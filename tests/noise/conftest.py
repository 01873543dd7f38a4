"""Images that show the distributions of the noises."""

import numpy as np
import pytest

from fplbench.noise import NOISES, synthesize

LUNG = (-1000, 400)


@pytest.fixture(scope="session")
def add():
    """Function like `synthesize`, for all noises: those that need HU get the ones that the images show in a lung window."""

    def make(name: str, clean: np.ndarray, **arguments) -> np.ndarray:
        if NOISES[name].needs == "hu" and isinstance(clean, np.ndarray):
            arguments = {"hu": LUNG[0] + (LUNG[1] - LUNG[0]) * clean, "window": LUNG, **arguments}
        return synthesize(name, clean, **arguments)

    return make


@pytest.fixture
def flat():
    """Function that adds a noise to an image of one grey value x and returns 2^16 values, float64."""

    def make(name: str, x: float, **options) -> np.ndarray:
        image = np.full((1, 256, 256), x, np.float32)
        return synthesize(name, image, seed=20, **options).astype(np.float64).ravel()

    return make


@pytest.fixture
def phantom():
    """Float32 (2, 96, 80) with a body of grey values from 0.25 to 0.75 that stays well away from the border."""
    y, x = np.mgrid[:96, :80].astype(np.float32)
    body = ((y - 48) / 26) ** 2 + ((x - 40) / 20) ** 2 < 1
    texture = 0.5 + 0.25 * np.sin(x / 3) * np.cos(y / 5)
    return np.stack([body * texture, body * (1 - texture)]).astype(np.float32)

import numpy as np
import pytest


@pytest.fixture(params=[(24, 32), (21, 30), (17, 23)], ids=str)
def pair(request):
    """A clean and a noisy image, with sides that are even, odd, or both odd."""
    rng = np.random.default_rng(0)
    clean = rng.integers(0, 256, request.param, dtype=np.uint8)
    return clean, np.clip(clean + rng.normal(0, 25, request.param), 0, 255).astype(np.uint8)

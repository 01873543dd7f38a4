"""The unprocessed image."""

import numpy as np

from fplbench.denoising.registry import NoOptions, method


@method("noisy", label="Noisy", group="filters", grey_map=False)
def noisy(noisy: np.ndarray, options: NoOptions) -> np.ndarray:
    """The noisy image as it is: what any method must beat."""
    return noisy

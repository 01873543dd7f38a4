"""The unprocessed image."""

import numpy as np

from fplbench.baselines.registration import NoOptions, baseline


@baseline("noisy", label="Noisy")
def noisy(noisy: np.ndarray, options: NoOptions) -> np.ndarray:
    """The noisy image as it is: what any method has to better."""
    return noisy

"""The unprocessed image behind a grey map: what a look-up table of grey levels does alone."""

import numpy as np

from fplbench.denoising.registry import NoOptions, method


@method("noisy_grey_map", label="Noisy, map", group="filters", grey_map=True)
def noisy_grey_map(noisy: np.ndarray, options: NoOptions) -> np.ndarray:
    """The noisy image as it is; its grey map, which is fitted on training images, does all there is."""
    return noisy

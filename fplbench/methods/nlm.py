"""Non-local means."""

import numpy as np
from pydantic import Field

from fplbench.denoising.registry import OddSize, method, per_image
from fplbench.options import Options

GRID = {"strength": [3, 6, 10, 15, 20, 30, 40], "patch_size": [3, 7]}


class NlmOptions(Options):
    """Options of non-local means."""

    strength: float = Field(
        10, gt=0, le=255, allow_inf_nan=False, description="Filter strength h, grey levels: higher removes more noise and detail."
    )
    patch_size: OddSize = Field(7, description="Side of the patches that are compared, pixels.")
    search_size: OddSize = Field(21, description="Side of the window that is searched for like patches, pixels.")


@method("nlm", label="NL Mean.", cites="buades2005", group="filters", options=NlmOptions, grid=GRID)
def nlm(noisy: np.ndarray, options: NlmOptions) -> np.ndarray:
    """Mean of pixels whose surroundings look alike (Buades et al. 2005), through OpenCV."""
    import cv2

    def average(image: np.ndarray) -> np.ndarray:
        return cv2.fastNlMeansDenoising(image, None, options.strength, options.patch_size, options.search_size)

    return per_image(noisy, average)

"""BM3D."""

import numpy as np
from pydantic import Field

from fplbench.denoising.noise_level import estimate_noise
from fplbench.denoising.registry import method, per_image
from fplbench.errors import InputError
from fplbench.options import Options

SMALLEST = 16
GRID = {"sigma": [None, 5, 10, 15, 20, 30, 45]}


class Bm3dOptions(Options):
    """Options of BM3D."""

    sigma: float | None = Field(
        None, gt=0, le=255, allow_inf_nan=False, description="Standard deviation of the noise, grey levels; estimated if null."
    )


@method(
    "bm3d",
    label="BM3D",
    cites="dabov2007",
    options=Bm3dOptions,
    extra="bm3d",
    requires=("bm3d",),
    processes=True,
    grid=GRID,
)
def bm3d(noisy: np.ndarray, options: Bm3dOptions) -> np.ndarray:
    """Collaborative filtering of groups of like blocks (Dabov et al. 2007), through its authors' package."""
    try:
        from bm3d import BM3DProfile
        from bm3d import bm3d as collaborative_filter
    except ImportError:
        raise InputError(
            "The method 'bm3d' needs the package bm3d, whose licence allows non-commercial use only: pip install -e '.[bm3d]'."
        ) from None
    profile = BM3DProfile()
    profile.num_threads = 1  # with more, its results vary

    def denoise(image: np.ndarray) -> np.ndarray:
        grey_levels = image.astype(np.float64)
        sigma = options.sigma if options.sigma is not None else estimate_noise(image)
        if sigma == 0:
            return image
        height, width = image.shape
        # Images smaller than two blocks of eight pixels crash the package.
        borders = ((0, max(0, SMALLEST - height)), (0, max(0, SMALLEST - width)))
        padded = np.pad(grey_levels, borders, mode="symmetric")
        return collaborative_filter(padded, sigma, profile)[:height, :width]

    return per_image(noisy, denoise)

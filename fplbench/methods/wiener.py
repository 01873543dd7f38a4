"""Wiener filter."""

import numpy as np
from pydantic import Field

from fplbench.denoising.registry import OddSize, method, per_image
from fplbench.options import Options

GRID = {"size": [3, 5, 7], "sigma": [None, 5, 10, 15, 20, 30, 45]}


class WienerOptions(Options):
    """Options of the Wiener filter."""

    size: OddSize = Field(3, description="Side of the square window, pixels.")
    sigma: float | None = Field(
        None,
        gt=0,
        le=255,
        allow_inf_nan=False,
        description="Standard deviation of the noise, grey levels; if null, from the mean local variance.",
    )


@method("wiener", label="Wiener Filt.", cites="lim1990", group="filters", options=WienerOptions, grid=GRID)
def wiener(noisy: np.ndarray, options: WienerOptions) -> np.ndarray:
    """Adaptive Wiener filter (Lim 1990), through SciPy.

    The local mean, plus the deviation from it times the share of the local variance that is not noise.
    """
    from scipy.ndimage import uniform_filter
    from scipy.signal import wiener as scipy_wiener

    border = options.size // 2

    def filter_image(image: np.ndarray) -> np.ndarray:
        grey_levels = image.astype(np.float64)
        if options.sigma is None:
            local_mean = uniform_filter(grey_levels, options.size)
            noise = float(np.mean(uniform_filter(grey_levels**2, options.size) - local_mean**2))
        else:
            noise = options.sigma**2
        if noise <= 0:  # flat throughout: SciPy would divide zero by zero
            return image
        # SciPy treats what lies outside as black, which would count as variance along the edges.
        padded = np.pad(grey_levels, border, mode="symmetric")
        with np.errstate(divide="ignore", invalid="ignore"):  # in flat neighbourhoods SciPy takes the local mean
            filtered = scipy_wiener(padded, options.size, noise)
        return filtered[border : border + image.shape[0], border : border + image.shape[1]]

    return per_image(noisy, filter_image)

"""Total variation denoising."""

import numpy as np
from pydantic import Field

from fplbench.denoising.registry import method, per_image
from fplbench.options import Options

GRID = {"weight": [5, 10, 15, 25, 40, 60]}


class TvOptions(Options):
    """Options of total variation denoising."""

    weight: float = Field(
        25.0, gt=0, allow_inf_nan=False, description="Weight of the total variation, grey levels: higher is smoother."
    )
    iterations: int = Field(200, ge=1, description="Largest number of iterations.")


@method("tv", label="TV", cites="chambolle2004", group="filters", options=TvOptions, grid=GRID)
def tv(noisy: np.ndarray, options: TvOptions) -> np.ndarray:
    """Least squares with a penalty on total variation (Rudin et al. 1992; Chambolle 2004), through scikit-image."""
    from skimage.restoration import denoise_tv_chambolle

    def smooth(image: np.ndarray) -> np.ndarray:
        return denoise_tv_chambolle(image.astype(np.float64), options.weight, max_num_iter=options.iterations)

    return per_image(noisy, smooth)

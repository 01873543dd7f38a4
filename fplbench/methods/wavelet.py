"""Wavelet shrinkage."""

import numpy as np
from pydantic import Field, field_validator

from fplbench.denoising.registry import method, per_image
from fplbench.errors import nearest
from fplbench.options import Options

WAVELETS = ["db1", "db2", "sym4", "sym8"]
GRID = {"wavelet": WAVELETS, "sigma": [None, 5, 10, 20, 30, 45]}


class WaveletOptions(Options):
    """Options of wavelet denoising."""

    wavelet: str = Field("db1", description="Name of the wavelet, as PyWavelets has it.")
    sigma: float | None = Field(
        None, gt=0, le=255, allow_inf_nan=False, description="Standard deviation of the noise, grey levels; estimated if null."
    )

    @field_validator("wavelet")
    @classmethod
    def _known(cls, wavelet: str) -> str:
        if wavelet not in WAVELETS:  # these are known without importing the library
            import pywt

            if wavelet not in (names := pywt.wavelist(kind="discrete")):
                raise ValueError(f"{wavelet!r} is not a discrete wavelet: {nearest(wavelet, names)}")
        return wavelet


@method("wavelet", label="Wave. Den.", cites="chang2000", group="filters", options=WaveletOptions, grid=GRID)
def wavelet(noisy: np.ndarray, options: WaveletOptions) -> np.ndarray:
    """Soft thresholding of wavelet coefficients by BayesShrink (Chang et al. 2000), through scikit-image."""
    import pywt
    from skimage.restoration import denoise_wavelet

    def shrink(image: np.ndarray) -> np.ndarray:
        grey_levels = image.astype(np.float64)
        if options.sigma is None and not pywt.dwt2(grey_levels, options.wavelet)[1][2].any():
            return image  # without diagonal detail, scikit-image would estimate the noise from an empty array
        return denoise_wavelet(grey_levels, sigma=options.sigma, wavelet=options.wavelet, method="BayesShrink")

    return per_image(noisy, shrink)

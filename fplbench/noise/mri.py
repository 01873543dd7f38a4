"""Noise in the magnitude images of magnetic resonance imaging."""

from typing import Annotated

import numpy as np
from pydantic import Field

from fplbench.noise.draws import Draws
from fplbench.noise.levels import Count, Level, PerImage, Within
from fplbench.noise.registry import noise
from fplbench.options import Options


class RicianOptions(Options):
    """Options of `rician`."""

    sigma: Annotated[Level, Within(0, 1)] = Field(
        0.06, description="Standard deviation of each quadrature channel, fraction of the grey range."
    )


@noise(
    "rician",
    label="Rician",
    title="Rician Noise",
    options=RicianOptions,
    cites="Gudbjartsson and Patz 1995, doi 10.1002/mrm.1910340618",
)
def rician(clean: np.ndarray, draws: Draws, options: PerImage) -> np.ndarray:
    """Magnitude of one noisy complex channel: y = sqrt((x + s n1)^2 + (s n2)^2)."""
    power = np.square(clean + options.sigma * draws.normal(clean.shape[1:]))
    power += np.square(options.sigma * draws.normal(clean.shape[1:]))
    return np.sqrt(power, out=power)


class RayleighOptions(Options):
    """Options of `rayleigh`."""

    sigma: Annotated[Level, Within(0, 1)] = Field(
        0.05, description="Scale of the Rayleigh distribution, fraction of the grey range; the mean is 1.25 sigma."
    )


@noise(
    "rayleigh",
    label="Rayleigh",
    title="Rayleigh Noise",
    options=RayleighOptions,
    cites="Gonzalez and Woods, Digital Image Processing, ch. 5; as the background of MRI: Gudbjartsson and Patz 1995",
)
def rayleigh(clean: np.ndarray, draws: Draws, options: PerImage) -> np.ndarray:
    """Additive Rayleigh noise: y = x + s sqrt(n1^2 + n2^2)."""
    # n1^2 + n2^2 is chi-squared with two degrees of freedom, that is, twice an exponential variable.
    return clean + options.sigma * np.sqrt(2 * draws.exponential(clean.shape[1:]))


class NoncentralChiOptions(Options):
    """Options of `noncentral_chi`."""

    sigma: Annotated[Level, Within(0, 1)] = Field(
        0.2, description="Standard deviation of each quadrature channel, fraction of the grey range."
    )
    coils: Annotated[Count, Within(1, 128)] = Field(4, description="Number of receiver coils; with one coil the noise is Rician.")


@noise(
    "noncentral_chi",
    label="Non-cent. Chi",
    title="Non-central Chi Noise",
    options=NoncentralChiOptions,
    cites="Koay and Basser 2006, doi 10.1016/j.jmr.2006.01.016; Aja-Fernandez and Vegas-Sanchez-Ferrero 2016, "
    "doi 10.1007/978-3-319-39934-8",
)
def noncentral_chi(clean: np.ndarray, draws: Draws, options: PerImage) -> np.ndarray:
    """Root of the sum of squares over L coils: y / s is non-central chi with 2 L degrees of freedom and centre x / s.

    The signal can be rotated into one quadrature channel of one coil. The other 2 L - 1 channels are then pure noise, and
    the sum of their squares is twice a gamma variable of order L - 1/2: y = sqrt((x + s n)^2 + 2 s^2 G), which takes the
    same time for any L.
    """
    power = np.square(clean + options.sigma * draws.normal(clean.shape[1:]))
    power += 2 * np.square(options.sigma) * draws.gamma(options.coils - 0.5, clean.shape[1:])
    return np.sqrt(power, out=power)

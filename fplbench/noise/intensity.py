"""Noise that changes each pixel independently: electronics, photon counting, speckle, dead pixels."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from fplbench.noise.draws import Draws
from fplbench.noise.levels import DerivedLevel, Level, PerImage, Within
from fplbench.noise.registry import noise
from fplbench.options import Options

BOLTZMANN = 1.380649e-23
"""Boltzmann constant, J/K (exact in the SI)."""


class GaussianOptions(Options):
    """Options of `gaussian`."""

    sigma: Annotated[Level, Within(0, 1)] = Field(0.09, description="Standard deviation, fraction of the grey range.")


@noise(
    "gaussian",
    label="Gauss.",
    title="Gaussian Noise",
    options=GaussianOptions,
    cites="Gonzalez and Woods, Digital Image Processing, ch. 5",
)
def gaussian(clean: np.ndarray, draws: Draws, options: PerImage) -> np.ndarray:
    """Additive white Gaussian noise: y = x + s n, with n standard normal."""
    return clean + options.sigma * draws.normal(clean.shape[1:])


class ThermalOptions(DerivedLevel):
    """Options of `thermal`; the physical ones apply if `sigma` is null."""

    level = "sigma"
    sources = ("temperature", "resistance", "bandwidth", "full_scale")

    sigma: Annotated[Level | None, Within(0, 1)] = Field(
        0.09, description="Standard deviation, fraction of the grey range; null derives it from the other options."
    )
    temperature: Annotated[Level, Within(0, 1000)] = Field(310.0, description="Temperature of body and coil, kelvin.")
    resistance: Annotated[Level, Within(0, 1e6)] = Field(50.0, description="Resistance, ohms.")
    bandwidth: Annotated[Level, Within(0, 1e9)] = Field(32e3, description="Receiver bandwidth, hertz.")
    full_scale: Annotated[Level, Within(0, 1e3, above=True)] = Field(
        1.8e-6, description="Voltage of the brightest grey value, volts."
    )


@noise(
    "thermal",
    label="Thermal",
    title="Thermal Noise",
    options=ThermalOptions,
    cites="Johnson 1928, doi 10.1103/PhysRev.32.97; Nyquist 1928, doi 10.1103/PhysRev.32.110",
)
def thermal(clean: np.ndarray, draws: Draws, options: PerImage) -> np.ndarray:
    """Johnson-Nyquist noise: y = x + s n, with s given or s = sqrt(4 k T R B) / V for full-scale voltage V.

    Thermal noise is Gaussian. It differs from `gaussian` in its random numbers and in that its level may follow from physics.
    """
    sigma = options.sigma
    if sigma is None:
        power = 4 * BOLTZMANN * options.temperature.astype(float) * options.resistance * options.bandwidth
        sigma = (np.sqrt(power) / options.full_scale).astype(np.float32)
    return clean + sigma * draws.normal(clean.shape[1:])


class PoissonOptions(Options):
    """Options of `poisson`."""

    photons: Annotated[Level, Within(0, 1e8, above=True)] = Field(
        100.0, description="Mean photon count at the brightest grey value; fewer photons mean more noise."
    )


@noise(
    "poisson",
    label="Poisson Noise",
    title="Poisson Noise",
    options=PoissonOptions,
    cites="Barrett and Myers, Foundations of Image Science, ch. 11",
)
def poisson(clean: np.ndarray, draws: Draws, options: PerImage) -> np.ndarray:
    """Photon counting: y = Poisson(l x) / l, with mean x and variance x / l."""
    return draws.poisson(options.photons * clean) / options.photons


class SpeckleOptions(Options):
    """Options of `speckle`."""

    sigma: Annotated[Level, Within(0, 1)] = Field(0.1, description="Standard deviation relative to the pixel's value.")
    law: Literal["gaussian", "gamma"] = Field(
        "gaussian", description="Distribution of the factor; gamma is that of a mean over 1/sigma^2 looks."
    )


@noise(
    "speckle",
    label="Speckle Noise",
    title="Speckle Noise",
    options=SpeckleOptions,
    cites="Goodman 1976, doi 10.1364/JOSA.66.001145",
)
def speckle(clean: np.ndarray, draws: Draws, options: PerImage) -> np.ndarray:
    """Multiplicative noise: y = x (1 + s n), or y = x g with g gamma distributed, of mean 1 and L = 1 / s^2 looks."""
    if options.law == "gaussian":
        return clean * (1 + options.sigma * draws.normal(clean.shape[1:]))
    # An image without speckle has infinitely many looks. Any finite number will do, as the factor is then not used.
    looks = np.where(options.sigma > 0, options.sigma, 1).astype(float) ** -2
    factor = draws.gamma(looks, clean.shape[1:]) / looks.astype(np.float32)
    return clean * np.where(options.sigma > 0, factor, np.float32(1))


class DensityOptions(Options):
    """Options of `salt_pepper` and `impulse`."""

    density: Annotated[Level, Within(0, 1)] = Field(0.06, description="Fraction of the pixels that are affected.")


@noise(
    "salt_pepper",
    label="Salt & Pepper",
    title="Salt and Pepper Noise",
    options=DensityOptions,
    cites="Gonzalez and Woods, Digital Image Processing, ch. 5",
)
def salt_pepper(clean: np.ndarray, draws: Draws, options: PerImage) -> np.ndarray:
    """Dead and saturated pixels: y = 0 with probability p/2, 1 with probability p/2, otherwise x."""
    lot = draws.random(clean.shape[1:])
    noisy = np.where(lot < options.density / 2, np.float32(0), clean)
    noisy[lot >= 1 - options.density / 2] = 1
    return noisy


@noise(
    "impulse",
    label="Impulse",
    title="Impulse Noise",
    options=DensityOptions,
    cites="Gonzalez and Woods, Digital Image Processing, ch. 5",
)
def impulse(clean: np.ndarray, draws: Draws, options: PerImage) -> np.ndarray:
    """Random-valued impulses: y is uniform on [0,1] with probability p, otherwise x."""
    lot = draws.random(clean.shape[1:])
    # Given that it is below p, lot / p is uniform on [0,1), so one random number is enough for both.
    return np.where(lot < options.density, lot / np.maximum(options.density, np.float32(1e-12)), clean)

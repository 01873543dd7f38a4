"""The noise of low-dose computed tomography, made where it arises: in the photon counts of the projections."""

from typing import Annotated

import numpy as np
from pydantic import Field, model_validator

from fplbench.errors import InputError
from fplbench.noise.draws import Draws
from fplbench.noise.hounsfield import check_images, windowed
from fplbench.noise.levels import Level, PerImage, Within
from fplbench.noise.projections import project, reconstruct
from fplbench.noise.registry import noise
from fplbench.options import Options

MU_WATER = 0.0193
"""Linear attenuation coefficient of water at 70 keV, the effective energy of a spectrum of 120 kV, per mm (NIST XCOM)."""

Hounsfield = Annotated[float, Field(ge=-10000, le=10000, strict=True)]


class LowDoseOptions(Options):
    """Options of `low_dose_ct`."""

    dose: Annotated[Level, Within(0, 10, above=True)] = Field((0.05, 0.25), description="Dose, fraction of the full dose.")
    photons: Annotated[Level, Within(0, 1e10, above=True)] = Field(
        1e6, description="Photons that reach a detector element in one view at full dose if nothing attenuates them."
    )
    electronic_noise: Annotated[Level, Within(0, 1e6)] = Field(
        10.0, description="Standard deviation of the electronic noise of a detector element, photons."
    )
    views: int = Field(360, ge=1, le=4096, strict=True, description="Number of views over half a turn.")
    field_of_view: float = Field(
        360.0, gt=0, le=2000, strict=True, description="Side of the image, mm, where the index does not give the size of a pixel."
    )
    window: tuple[Hounsfield, Hounsfield] | None = Field(
        None, description="Grey window of the images, HU; null: the one in the index."
    )

    @model_validator(mode="after")
    def _ordered(self) -> "LowDoseOptions":
        if self.window is not None and self.window[0] >= self.window[1]:
            raise ValueError(f"window is {list(self.window)}, but its first value must be below its second.")
        return self


@noise(
    "low_dose_ct",
    label="Low-dose CT",
    title="Low-dose CT Noise",
    options=LowDoseOptions,
    cites="Zeng et al. 2015, A simple low-dose x-ray CT simulation from high-dose scan, doi 10.1109/TNS.2015.2467219; "
    "Kak and Slaney 1988, Principles of Computerized Tomographic Imaging, ch. 3",
    needs="hu",
)
def low_dose_ct(clean: np.ndarray, draws: Draws, options: PerImage) -> np.ndarray:
    """Photon counting before reconstruction: y = x + w(h + F(ln I / N - p)) - w(h), with h in HU and w the grey window.

    p are the line integrals of the attenuation mu = mu_water (1 + h / 1000) along parallel rays, I = dose times photons is the
    incident flux, the same for all rays (without a bow-tie filter), N = Poisson(I exp(-p)) + s n are the counts with electronic
    noise, at least 1, and F is filtered back-projection with the ramp filter, converted to HU.

    F is linear, so F(ln I / N - p) is the difference between the reconstructions with and without noise. Only this difference
    is added: the clean image has been through a scanner, and the blur and the aliasing of a second reconstruction are not noise.
    Nor is what the window cuts off; since the same window is applied with and without noise, an image with infinitely many
    photons does not change. Scanners reconstruct the inscribed circle, and outside there is no noise.
    """
    if options.window is None:
        raise InputError(
            "low_dose_ct needs the grey window of the images in HU: give the option window, such as [-1000, 400], or columns "
            "window_low and window_high in the index."
        )
    check_images(clean, options.hu, options.window)
    noisy = np.empty_like(clean)
    levels = zip((options.dose * options.photons).flat, options.electronic_noise.flat, options.pixel_mm.flat, strict=True)
    for generator, image, hu, result, (flux, electronic, pixel) in zip(draws, clean, options.hu, noisy, levels, strict=True):
        change = noise_in_hu(generator, hu, float(flux), float(electronic), float(pixel), options.views)
        result[...] = image + windowed(hu + change, options.window) - windowed(hu, options.window)
    return noisy


def noise_in_hu(
    generator: np.random.Generator, hu: np.ndarray, flux: float, electronic: float, pixel_mm: float, views: int
) -> np.ndarray:
    """The noise of a scan, in HU.

    Args:
        generator: random generator.
        hu: float32 (H, W).
        flux: photons of a ray that nothing attenuates.
        electronic: standard deviation of the electronic noise, photons.
        pixel_mm: side of a pixel, mm; also the distance of the rays.
        views: number of views over half a turn.

    Returns:
        float32 (H, W); zero outside the circle inscribed in the square around the image.
    """
    attenuation = _in_square(np.maximum(MU_WATER * (1 + hu / 1000), 0).astype(np.float32))
    line_integrals = project(attenuation, views) * np.float64(pixel_mm)
    counts = generator.poisson(flux * np.exp(-line_integrals)) + electronic * generator.standard_normal(line_integrals.shape)
    # A scanner cannot take the logarithm of nothing either: counts of starved rays are raised to one photon.
    error = np.log(flux / np.maximum(counts, 1)) - line_integrals
    change = reconstruct(error.astype(np.float32)) * np.float32(1000 / (MU_WATER * pixel_mm))
    return _cut_out(change, hu.shape)


def _in_square(image: np.ndarray) -> np.ndarray:
    """The image in the centre of a square of air."""
    side = max(image.shape)
    square = np.zeros((side, side), image.dtype)
    _cut_out(square, image.shape)[...] = image
    return square


def _cut_out(square: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The central part of a square, as a view."""
    top, left = ((len(square) - length) // 2 for length in shape)
    return square[top : top + shape[0], left : left + shape[1]]

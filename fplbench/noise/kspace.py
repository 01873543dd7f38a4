"""Artefacts that arise in k-space, the spatial frequencies that a magnetic resonance scanner records.

The phase-encoding direction is vertical (axis 1), the readout direction horizontal (axis 2).
"""

from typing import Annotated

import numpy as np
from pydantic import Field, model_validator

from fplbench.noise.draws import Draws
from fplbench.noise.fourier import change_by_shift
from fplbench.noise.levels import DerivedLevel, Level, PerImage, Within
from fplbench.noise.registry import noise
from fplbench.options import Options

FAT_HU = (-140.0, -50.0)
"""Range of fat in CT, Hounsfield units."""
FAT_EDGE_HU = 30.0
"""Width over which the fat fraction falls to zero on either side of that range, Hounsfield units."""
FAT_WATER_PPM = 3.5
"""Difference between the resonance frequencies of water and fat, parts per million."""
GYROMAGNETIC_RATIO = 42.577
"""Gyromagnetic ratio of the proton, MHz/T."""

Grey = Annotated[float, Field(ge=0, le=1, strict=True)]
Hounsfield = Annotated[float, Field(ge=-10000, le=10000, strict=True)]


class WrapAroundOptions(Options):
    """Options of `wrap_around`."""

    strength: Annotated[Level, Within(0, 1)] = Field(
        0.3, description="Weight of the aliased signal; 1 means a coil that is equally sensitive outside the field of view."
    )
    field_of_view: Annotated[Level, Within(0.25, 1)] = Field(
        0.5, description="Field of view along the phase-encoding direction, fraction of the image height."
    )


@noise(
    "wrap_around",
    label="Wrap Around",
    title="Wrap-around Artifacts",
    options=WrapAroundOptions,
    cites="Brown et al., Magnetic Resonance Imaging: Physical Principles and Sequence Design, ch. 12",
)
def wrap_around(clean: np.ndarray, draws: Draws, options: PerImage) -> np.ndarray:
    """Aliasing along the phase encoding: y(r) = x(r) + a sum over k != 0 of x(r + k f H), with x = 0 outside the image.

    Sampling k-space in steps of 1 / (f H) makes the image periodic with f H rows, so that what lies outside the field of
    view appears inside. All H rows are shown, so that the image stays in place. With f = 1/2, y = x + a roll(x, H/2).
    """
    height = clean.shape[1]
    noisy = clean.copy()
    periods = np.rint(options.field_of_view * height).astype(int)
    for image, source, period, strength in zip(noisy, clean, periods.flat, options.strength.flat, strict=True):
        for offset in range(period, height, period):
            image[:-offset] += strength * source[offset:]
            image[offset:] += strength * source[:-offset]
    return noisy


class ChemicalShiftOptions(DerivedLevel):
    """Options of `chemical_shift`; field strength and bandwidth apply if `shift` is null."""

    level = "shift"
    sources = ("field_strength", "bandwidth")

    shift: Annotated[Level | None, Within(0, 32)] = Field(
        (2.0, 4.0),
        description="Displacement of fat along the readout, pixels; null derives it from field strength and bandwidth.",
    )
    field_strength: Annotated[Level, Within(0, 20)] = Field(1.5, description="Main magnetic field, tesla.")
    bandwidth: Annotated[Level, Within(0, 1e6, above=True)] = Field(80.0, description="Receiver bandwidth per pixel, hertz.")
    fat: tuple[Grey, Grey] = Field(
        (0.45, 0.55),
        description="Range of grey values taken for fat if no window is known; the default suits radiographs.",
    )
    edge: float = Field(
        0.45,
        gt=0,
        le=1,
        strict=True,
        description="Width over which the fat fraction falls to zero on either side of `fat`, fraction of the grey range.",
    )
    window: tuple[Hounsfield, Hounsfield] | None = Field(
        None, description="Grey window of CT images, HU; if given, fat is -140 to -50 HU, and `fat` and `edge` are ignored."
    )

    @model_validator(mode="after")
    def _ordered(self) -> "ChemicalShiftOptions":
        for name in ("fat", "window"):
            ends = getattr(self, name)
            if ends is not None and ends[0] >= ends[1]:
                raise ValueError(f"{name} is {list(ends)}, but its first value must be below its second.")
        return self


@noise(
    "chemical_shift",
    label="Chem. Shift",
    title="Chemical Shift",
    options=ChemicalShiftOptions,
    cites="Brown et al., Magnetic Resonance Imaging: Physical Principles and Sequence Design, ch. 17",
    flips=("vertical",),  # fat always moves to the right
)
def chemical_shift(clean: np.ndarray, draws: Draws, options: PerImage) -> np.ndarray:
    """Fat displaced along the readout: y = | water + F^-1(F(fat) exp(-2 pi i k D)) |, with D in pixels.

    D = 3.5 ppm gamma B0 / bandwidth per pixel. The images do not separate water and fat, so a band of grey values is taken
    for fat, and the fat fraction falls linearly to zero on either side. The sides are steep for CT, in which fat has a
    known range of values, and wide for radiographs, in which every pixel is a mixture and a sharp band would show as a
    contour. Noise must not create fat, nor must borders between tissue and air, which pass through the same values: the
    band is applied to the median over 5x5 pixels, and fat narrower than three pixels is removed by morphological opening.
    """
    import cv2

    shift = options.shift
    if shift is None:
        shift = FAT_WATER_PPM * GYROMAGNETIC_RATIO * options.field_strength / options.bandwidth
    low, high, edge = _fat_band(options)
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    fat = np.empty_like(clean)
    for image, result in zip(clean, fat, strict=True):
        smooth = cv2.medianBlur(image, 5)
        fraction = np.clip(1 - np.maximum(low - smooth, smooth - high) / edge, 0, 1)
        result[...] = image * cv2.morphologyEx(fraction, cv2.MORPH_OPEN, cross)
    change = [change_by_shift(image, distance) for image, distance in zip(fat, shift.flat, strict=True)]
    return np.abs(clean + np.stack(change))


def _fat_band(options: PerImage) -> tuple[np.float32, np.float32, np.float32]:
    """Lowest and highest grey value of fat, and the width of the edges of the band."""
    if options.window is None:
        return np.float32(options.fat[0]), np.float32(options.fat[1]), np.float32(options.edge)
    floor, ceiling = options.window
    low, high = ((hu - floor) / (ceiling - floor) for hu in FAT_HU)
    return np.float32(low), np.float32(high), np.float32(FAT_EDGE_HU / (ceiling - floor))

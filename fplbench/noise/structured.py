"""Fixed patterns of imperfect scanners: interference stripes, row and column offsets, drift, rings."""

from typing import Annotated

import numpy as np
from pydantic import Field, model_validator

from fplbench.noise.draws import Draws
from fplbench.noise.levels import Level, PerImage, Within
from fplbench.noise.registry import noise
from fplbench.options import Options

Cycles = Annotated[int, Field(ge=1, le=128, strict=True)]


class StructuredOptions(Options):
    """Options of `structured`. The amplitude scales the whole pattern; the other strengths are relative to it."""

    amplitude: Annotated[Level, Within(0, 1)] = Field(
        (0.05, 0.15), description="Scale of the whole pattern, fraction of the grey range."
    )
    stripes: float = Field(
        1.0, ge=0, le=10, strict=True, description="Peak of the sinusoidal stripes, in units of the amplitude."
    )
    lines: float = Field(
        0.3, ge=0, le=10, strict=True, description="Standard deviation of row and of column offsets, in units of the amplitude."
    )
    field: float = Field(
        0.5, ge=0, le=10, strict=True, description="Standard deviation of the band-limited field, in units of the amplitude."
    )
    rings: float = Field(
        0.0, ge=0, le=10, strict=True, description="Standard deviation of the rings of a CT detector, in units of the amplitude."
    )
    offset: float = Field(
        0.0,
        ge=0,
        le=10,
        strict=True,
        description="Constant added to the pattern, in units of the amplitude, so that less of it falls below black.",
    )
    frequency: Annotated[Level, Within(0, 128, above=True)] = Field(
        (8.0, 32.0), description="Frequency of the stripes, cycles per image."
    )
    band: tuple[Cycles, Cycles] = Field((2, 12), description="Lowest and highest frequency of the field, cycles per image.")

    @model_validator(mode="after")
    def _ordered(self) -> "StructuredOptions":
        if self.band[0] > self.band[1]:
            raise ValueError(f"band is {list(self.band)}, but its first value must not exceed its second.")
        return self


@noise(
    "structured",
    label="Struct. Noise",
    title="Structured Noise",
    options=StructuredOptions,
    cites="Barrett and Swindell, Radiological Imaging; rings: Sijbers and Postnov 2004, doi 10.1088/0031-9155/49/14/N06",
)
def structured(clean: np.ndarray, draws: Draws, options: PerImage) -> np.ndarray:
    """Fixed patterns: y = x + A (stripes + row and column offsets + band-limited field + rings + constant)."""
    height, width = clean.shape[1:]
    pattern = options.stripes * _stripes(draws, height, width, options.frequency)
    pattern += np.float32(options.offset)
    pattern += np.float32(options.lines) * (draws.normal((height, 1)) + draws.normal((1, width)))
    if options.field:
        pattern += np.float32(options.field) * _band_limited_field(draws, height, width, options.band)
    if options.rings:
        pattern += np.float32(options.rings) * _rings(draws, height, width)
    return clean + options.amplitude * pattern


def _stripes(draws: Draws, height: int, width: int, cycles: np.ndarray) -> np.ndarray:
    """sin(2 pi f (u cos t + v sin t) + p) with random direction t and phase p; f is `cycles` (N, 1, 1), u and v in [0,1)."""
    direction = draws.uniform(0, np.pi, (1, 1))
    phase = draws.uniform(0, 2 * np.pi, (1, 1))
    across = 2 * np.pi * cycles * np.cos(direction) * (np.arange(width, dtype=np.float32) / width) + phase
    down = 2 * np.pi * cycles * np.sin(direction) * (np.arange(height, dtype=np.float32)[:, None] / height)
    # The addition theorem for sin(a + b) needs the sines of a row and a column only, not of a whole image.
    pattern = np.sin(across) * np.cos(down)
    pattern += np.cos(across) * np.sin(down)
    return pattern


def _band_limited_field(draws: Draws, height: int, width: int, band: tuple[int, int]) -> np.ndarray:
    """Gaussian random field of unit variance with a flat spectrum from band[0] to band[1] cycles per image."""
    import scipy.fft

    low, high = band
    rows, columns = min(high, (height - 1) // 2), min(high, (width - 1) // 2)
    ky, kx = np.arange(-rows, rows + 1), np.arange(columns + 1)
    radius = np.hypot(ky[:, None], kx)
    inside = (radius >= low) & (radius <= high)
    # The real transform adds the mirror image of every column but kx = 0, hence the factor of a half.
    scale = inside / np.sqrt(max(1, inside.sum())) * np.where(kx > 0, 0.5, 1)
    waves = scale * draws.normal(radius.shape) + 1j * scale * draws.normal(radius.shape)
    field = np.empty((len(draws), height, width), np.float32)
    for image, wave in zip(field, waves, strict=True):
        spectrum = np.zeros((height, columns + 1), np.complex64)
        spectrum[ky] = wave
        lines = scipy.fft.ifft(spectrum, axis=0, norm="forward")
        image[...] = scipy.fft.irfft(lines, width, norm="forward")
    return field


def _rings(draws: Draws, height: int, width: int) -> np.ndarray:
    """An offset of unit standard deviation for each detector element, constant along circles about the image centre."""
    y, x = np.ogrid[:height, :width]
    radius = np.hypot(y - (height - 1) / 2, x - (width - 1) / 2)
    inner = np.floor(radius).astype(int)
    weight = (radius - inner).astype(np.float32)
    offsets = draws.normal((int(inner.max()) + 2,))
    return offsets[:, inner] * (1 - weight) + offsets[:, inner + 1] * weight

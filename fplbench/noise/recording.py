"""Faults in recording k-space: spikes, lines that differ periodically, and high frequencies that are not recorded.

The phase-encoding direction is vertical (axis 1), the readout direction horizontal (axis 2).
"""

from typing import Annotated

import numpy as np
from pydantic import Field

from fplbench.noise.draws import Draws
from fplbench.noise.levels import Count, Level, PerImage, Within
from fplbench.noise.registry import noise
from fplbench.options import Options


class SpikeOptions(Options):
    """Options of `spike`."""

    spikes: Annotated[Count, Within(0, 64)] = Field((1, 3), description="Number of samples of k-space with a spike.")
    strength: Annotated[Level, Within(0, 1)] = Field(
        (0.05, 0.15), description="Amplitude of the wave that each spike adds to the image, fraction of the grey range."
    )


@noise(
    "spike",
    label="Spike",
    title="Spike Artifacts",
    options=SpikeOptions,
    cites="Graves and Mitchell 2013, doi 10.1002/jmri.24288; as augmentation: Perez-Garcia et al. 2021 (TorchIO), "
    "doi 10.1016/j.cmpb.2021.106236",
)
def spike(clean: np.ndarray, draws: Draws, options: PerImage) -> np.ndarray:
    """Discharges during single samples of k-space: y = | x + sum over spikes of a exp(2 pi i (k r / H + l c / W) + i p) |.

    (k, l) is any sample of k-space but (0, 0), and the phase p is uniform. One spike gives stripes, several a herringbone. Where
    the image is black, the magnitude of a single wave is even.
    """
    noisy = np.empty_like(clean)
    height, width = clean.shape[1:]
    levels = zip(options.spikes.flat, options.strength.flat, strict=True)
    for generator, image, result, (spikes, strength) in zip(draws, clean, noisy, levels, strict=True):
        down, across = np.divmod(generator.integers(1, height * width, spikes), width)
        phases = generator.uniform(0, 2 * np.pi, spikes)
        waves = [wave(image.shape, *each) for each in zip(down, across, phases, strict=True)]
        result[...] = np.abs(image + strength * sum(waves)) if waves else image
    return noisy


def wave(shape: tuple[int, ...], down: int, across: int, phase: float) -> np.ndarray:
    """The wave of one sample of k-space, exp(2 pi i (k r / H + l c / W) + i p), complex64 (H, W)."""
    height, width = shape
    rows = np.exp(2j * np.pi * down * np.arange(height) / height + 1j * phase)
    columns = np.exp(2j * np.pi * across * np.arange(width) / width)
    return np.outer(rows.astype(np.complex64), columns.astype(np.complex64))


class GhostingOptions(Options):
    """Options of `ghosting`."""

    interval: Annotated[Count, Within(2, 32)] = Field(
        (2, 5), description="Every how many phase-encoding lines one differs; the ghosts are 1 / interval of the height apart."
    )
    strength: Annotated[Level, Within(0, 1)] = Field((0.5, 1.0), description="Fraction of the signal that these lines lack.")


@noise(
    "ghosting",
    label="Ghosting",
    title="Ghosting Artifacts",
    options=GhostingOptions,
    cites="Wood and Henkelman 1985, MR image artifacts from periodic motion, Medical Physics 12:143; as augmentation: "
    "Perez-Garcia et al. 2021 (TorchIO), doi 10.1016/j.cmpb.2021.106236",
)
def ghosting(clean: np.ndarray, draws: Draws, options: PerImage) -> np.ndarray:
    """Signal that varies periodically from line to line: y = | F^-1(w F(x)) |, w = 1 - a on every n-th line, otherwise 1.

    w has the period n, so with the first of these lines at j there are n - 1 ghosts, at multiples of H / n pixels along the phase
    encoding: y = | x - a / n sum over m of exp(-2 pi i m j / n) x(r + m H / n) |, m from 0 to n - 1.
    j is random, but never 0: without the line of zero frequency, the mean of each column, the image could not be recognised.
    """
    noisy = np.empty_like(clean)
    levels = zip(options.interval.flat, options.strength.flat, strict=True)
    for generator, image, result, (interval, strength) in zip(draws, clean, noisy, levels, strict=True):
        result[...] = with_ghosts(image, int(interval), int(generator.integers(1, interval)), strength)
    return noisy


def with_ghosts(image: np.ndarray, interval: int, first: int, strength: float) -> np.ndarray:
    """The magnitude image (H, W) if the lines first, first + interval ... lack a fraction of their signal."""
    import scipy.fft

    height = len(image)
    line = np.rint(scipy.fft.fftfreq(height) * height).astype(int)
    weak = (line - first) % interval == 0
    # The transform along the readout cancels. Only the change is transformed back, so that none leaves the image as it is.
    change = np.where(weak[:, None], -strength * scipy.fft.fft(image, axis=0), 0)
    return np.abs(image + scipy.fft.ifft(change, axis=0))


class GibbsOptions(Options):
    """Options of `gibbs`."""

    kept: Annotated[Level, Within(0, 1, above=True)] = Field(
        (0.25, 0.5), description="Fraction of the frequencies along either axis that is recorded, around zero."
    )


@noise(
    "gibbs",
    label="Gibbs",
    title="Gibbs Ringing",
    options=GibbsOptions,
    cites="Czervionke et al. 1988, Characteristic features of MR truncation artifacts, AJNR 9:815; Gottlieb and Shu 1997, "
    "On the Gibbs phenomenon and its resolution, doi 10.1137/S0036144596301390",
)
def gibbs(clean: np.ndarray, draws: Draws, options: PerImage) -> np.ndarray:
    """Truncated k-space, filled with zeros: y = | F^-1(F(x) [|k| <= f H / 2] [|l| <= f W / 2]) |.

    Edges are blurred, and ring: next to an edge the image overshoots by 9 % of its height, whatever the fraction f. Nothing is
    random if f is a number.
    """
    noisy = np.empty_like(clean)
    for image, result, kept in zip(clean, noisy, options.kept.flat, strict=True):
        result[...] = truncated(image, float(kept))
    return noisy


def truncated(image: np.ndarray, kept: float) -> np.ndarray:
    """The magnitude image (H, W) of the central part of its k-space."""
    import scipy.fft

    height, width = image.shape
    change = scipy.fft.rfft2(image)
    down, across = (round(kept * side / 2) for side in (height, width))
    rows = np.abs(scipy.fft.fftfreq(height) * height) <= down + 0.5
    columns = scipy.fft.rfftfreq(width) * width <= across + 0.5
    # Only what is lost is transformed back, so that an image that is recorded completely does not change.
    change[np.outer(rows, columns)] = 0
    return np.abs(image - scipy.fft.irfft2(change, image.shape))

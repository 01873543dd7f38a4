"""Noise power spectrum and task transfer function: texture and sharpness of denoised images."""

import numpy as np

STEP = 0.5  # pixels between the points of an edge spread function
FREQUENCIES = 26  # of a task transfer function, from 0 to the Nyquist frequency


def noise_power_spectrum(fields: np.ndarray, pixel: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Noise power spectrum of square regions of interest, as the mean of their periodograms.

    NPS(u, v) = dx dy / sum(h^2) |DFT(h (field - its mean))|^2, with a Hann window h, so that a region's border adds no power at
    high frequencies. Its sum over all frequencies, divided by the area of the region, is the variance.

    Args:
        fields: float (N, S, S), such as residuals, of any unit.
        pixel: side of a pixel, mm, dx = dy.

    Returns:
        The spectrum, float64 (S, S), in the unit of the fields squared times mm^2; and its frequencies along an axis (S,), in
        cycles/mm, in the order of numpy.fft.fftfreq.
    """
    size = fields.shape[-1]
    hann = np.sin(np.pi * (np.arange(size) + 0.5) / size) ** 2
    window = hann[:, None] * hann
    means = (fields * window).sum(axis=(1, 2), keepdims=True) / window.sum()
    power = np.abs(np.fft.fft2(window * (fields - means))) ** 2
    return power.mean(axis=0) * pixel**2 / np.square(window).sum(), np.fft.fftfreq(size, pixel)


def radial_average(spectrum: np.ndarray, frequencies: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean of a spectrum over rings about zero frequency, up to the Nyquist frequency.

    Zero frequency and its neighbours are left out: the removal of the mean takes power from them.

    Args:
        spectrum: (S, S).
        frequencies: along an axis (S,), as `noise_power_spectrum` returns them.

    Returns:
        Frequencies (K,) and means (K,), one for each multiple of the lowest frequency from the second on.
    """
    step = frequencies[1]
    rings = np.rint(np.hypot(frequencies[:, None], frequencies) / step).astype(int).ravel()
    last = len(frequencies) // 2
    totals, counts = np.bincount(rings, spectrum.ravel()), np.bincount(rings)
    return step * np.arange(2, last + 1), (totals / counts)[2 : last + 1]


def edge_transfer(difference: np.ndarray, radius: float, frequencies: np.ndarray) -> np.ndarray:
    """Transfer function of the edge of a disc (Richard et al. 2012), normalised at zero frequency.

    The mean at each distance from the centre is the edge spread function. Its derivative, the line spread function, is
    tapered beyond half a radius from the edge. The result is the real part of its Fourier transform about the edge, to which
    noise adds nothing on average; the modulus would turn noise into sharpness.

    Args:
        difference: float (S, S), the disc without its background, centred, on a patch of at least 4 radii.
        radius: of the disc, pixels; at least 3.
        frequencies: cycles/pixel (K,).

    Returns:
        float64 (K,). The effects of the pixel and of the curvature of the edge are not corrected.
    """
    rows, columns = np.indices(difference.shape) - (np.array(difference.shape) - 1)[:, None, None] / 2
    distance = np.hypot(rows, columns).ravel()
    count = int(2 * radius / STEP)
    bins = (distance / STEP).astype(int)
    near = bins < count
    pixels = np.bincount(bins[near], minlength=count)
    filled = pixels > 0
    values = np.bincount(bins[near], difference.ravel()[near], count)[filled] / pixels[filled]
    places = np.bincount(bins[near], distance[near], count)[filled] / pixels[filled]
    spread = np.interp((np.arange(count) + 0.5) * STEP, places, values)
    offset = np.arange(1, count) * STEP - radius
    beyond = np.clip((np.abs(offset) - radius / 2) / (radius / 2), 0, 1)
    line = -np.diff(spread) * (0.5 + 0.5 * np.cos(np.pi * beyond))
    return (np.cos(2 * np.pi * frequencies[:, None] * offset) @ line) / line.sum()


def task_transfer(difference: np.ndarray, inserted: np.ndarray, radius: float) -> tuple[np.ndarray, np.ndarray]:
    """Task transfer function of a method: how much of the edge of a disc it passes at each frequency, 1 at zero frequency.

    It is the transfer function of the edge after the method, divided by that of the disc as it was inserted. This removes
    the effects of the pixel and of the edge's curvature: a method that changes nothing has 1 everywhere, and a Gaussian blur
    of standard deviation s has exp(-2 pi^2 s^2 f^2). How much of the contrast remains is not in it.

    Args:
        difference: float (S, S), mean over images with the disc less that without it, denoised.
        inserted: float (S, S), the disc as it was inserted.
        radius: of the disc, pixels; at least 3.

    Returns:
        Frequencies (K,), from 0 to 0.5 cycles/pixel, and the function (K,).
    """
    frequencies = np.linspace(0, 0.5, FREQUENCIES)
    return frequencies, edge_transfer(difference, radius, frequencies) / edge_transfer(inserted, radius, frequencies)

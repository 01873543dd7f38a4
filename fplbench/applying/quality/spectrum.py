"""Noise power spectra before and after, from flat patches of one scan."""

import math
from typing import Any

import numpy as np

from fplbench.scoring.spectra import noise_power_spectrum, radial_average

SIDE = 32  # of a patch, pixels
STEP = SIDE // 2  # between patches; the window of the spectrum makes the halves that they share nearly independent
MOST = 8  # patches of a slice
INSIDE = 0.95  # share of a patch that must be of the tissue
UNEVEN = 3.0  # how much more coarse structure a patch may have than the flattest quarter of them


def pixel_side(spacing: tuple[float, float] | None) -> float:
    """Side of a square pixel of the same area in mm; 1 where the spacing is not known, and frequencies are in cycles/pixel."""
    return math.sqrt(spacing[0] * spacing[1]) if spacing else 1.0


def frequencies(spacing: tuple[float, float] | None) -> np.ndarray:
    """The frequencies (K,) of the spectra of `patch_spectra`, cycles/mm."""
    return radial_average(np.zeros((SIDE, SIDE)), np.fft.fftfreq(SIDE, pixel_side(spacing)))[0]


def patch_spectra(
    before: np.ndarray, after: np.ndarray, smooth: np.ndarray, tissue: np.ndarray, spacing: tuple[float, float] | None
) -> dict[str, Any] | None:
    """Noise power spectra of the same flat patches before and after, averaged over rings.

    One scan has no repetition whose difference would be free of anatomy, and neighbouring slices share both anatomy and noise. So
    patches of uniform tissue take the place of the uniform phantom of AAPM TG-233 and ICRU Report 87, and a polynomial of the
    second order is subtracted from each, as IEC 62220-1 does with the trends of a detector. What anatomy is left adds power
    at low frequencies, before and after alike.

    Args:
        before, after: float32 (H, W), in the unit of the scan.
        smooth: the smoothed image before.
        tissue: uint8 (H, W), where the uniform tissue is.
        spacing: (row, column) spacing in mm; None where it is not known.

    Returns:
        before and after, the spectra at `frequencies`, in the unit squared times mm²; deviations, the standard deviation of
        the noise before and after, that is, the root of the integral of each spectrum; patches, their number. None if no
        patch is uniform.
    """
    places = flat_places(smooth, tissue)
    if not len(places):
        return None
    found: dict[str, Any] = {"patches": len(places), "deviations": []}
    for name, image in (("before", before), ("after", after)):
        spectrum, axis = noise_power_spectrum(detrended(_patches(image, places)), pixel_side(spacing))
        found[name] = [float(f"{value:.4g}") for value in radial_average(spectrum, axis)[1]]
        found["deviations"].append(float(f"{math.sqrt(spectrum.sum()) * axis[1]:.4g}"))
    return found


def flat_places(smooth: np.ndarray, tissue: np.ndarray) -> np.ndarray:
    """Upper left corners (N, 2) of patches of one tissue without coarse structure, at most `MOST`, spread over the slice.

    The limit on structure is wide enough for all that noise alone does, so that it does not select patches with little
    noise at low frequencies.
    """
    import cv2

    rows, columns = ((side - SIDE) // STEP + 1 for side in smooth.shape)
    if min(rows, columns) < 1:
        return np.empty((0, 2), int)
    height, width = (rows + 1) * STEP, (columns + 1) * STEP
    share = cv2.resize(tissue[:height, :width], (columns + 1, rows + 1), interpolation=cv2.INTER_AREA) / np.float32(255)
    share = (share[1:, 1:] + share[1:, :-1] + share[:-1, 1:] + share[:-1, :-1]) / 4
    places = np.argwhere(share >= INSIDE) * STEP
    if not len(places):
        return places
    energy = np.square(detrended(_patches(smooth, places)[:, 2::4, 2::4])).mean(axis=(1, 2))
    places = places[energy <= UNEVEN * np.quantile(energy, 0.25)]
    return places[np.linspace(0, len(places) - 1, min(MOST, len(places))).astype(int)]


def detrended(patches: np.ndarray) -> np.ndarray:
    """Patches (N, S, S) without the polynomial of the second order in row and column that fits each best; float64."""
    axis = np.linspace(-1, 1, patches.shape[-1])
    row, column = np.meshgrid(axis, axis, indexing="ij")
    basis = np.stack([np.ones_like(row), row, column, row * row, row * column, column * column]).reshape(6, -1)
    orthogonal = np.linalg.qr(basis.T)[0]
    flat = patches.reshape(len(patches), -1).astype(np.float64)
    return (flat - flat @ orthogonal @ orthogonal.T).reshape(patches.shape)


def _patches(image: np.ndarray, places: np.ndarray) -> np.ndarray:
    return np.stack([image[row : row + SIDE, column : column + SIDE] for row, column in places])

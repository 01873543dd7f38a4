"""Movements of the patient during a scan that records the lines of k-space one after the other.

The phase-encoding direction is vertical (axis 1), the readout direction horizontal (axis 2).
"""

from typing import Annotated

import numpy as np
from pydantic import Field

from fplbench.noise.draws import Draws
from fplbench.noise.fourier import change_by_shift
from fplbench.noise.levels import Count, Level, PerImage, Within
from fplbench.noise.registry import noise
from fplbench.options import Options


class MotionOptions(Options):
    """Options of `motion`."""

    moves: Annotated[Count, Within(0, 16)] = Field((2, 4), description="Number of sudden movements during the scan.")
    shift: Annotated[Level, Within(0, 64)] = Field(6.0, description="Largest displacement along each axis, pixels.")
    rotation: Annotated[Level, Within(0, 45)] = Field(5.0, description="Largest rotation, degrees.")
    centre: float = Field(
        0.08,
        ge=0,
        le=1,
        strict=True,
        description="Fraction of the phase-encoding lines, around zero, that are recorded in the first pose.",
    )


@noise(
    "motion",
    label="Motion Art.",
    title="Motion Artifacts",
    options=MotionOptions,
    cites="Shaw et al. 2019, https://proceedings.mlr.press/v102/shaw19a.html",
)
def motion(clean: np.ndarray, draws: Draws, options: PerImage) -> np.ndarray:
    """Sudden rigid movements between phase-encoding lines: y = | F^-1( sum over poses p of W_p F(x moved to p) ) |.

    W_p selects the lines recorded in pose p. The lines are recorded in order of frequency, the movements occur at random
    between them, and the lines around zero, which determine the contrast, belong to the first pose.

    Along the readout an anti-aliasing filter is assumed: the image is continued by its mirror image, and nothing wraps.
    Along the phase encoding the field of view is the height of the image, as in a scan without oversampling: what moves
    out at the bottom, and ghosts that reach beyond, appear at the top.
    """
    noisy = np.empty_like(clean)
    levels = zip(options.moves.flat, options.shift.flat, options.rotation.flat, strict=True)
    for generator, image, result, (moves, shift, rotation) in zip(draws, clean, noisy, levels, strict=True):
        starts = np.sort(generator.integers(0, image.shape[0], moves))
        displacements = generator.uniform(-shift, shift, (moves, 2))
        angles = generator.uniform(-rotation, rotation, moves)
        pose_of_line = _poses(image.shape[0], starts, options.centre)
        result[...] = _recorded_while_moving(image, pose_of_line, displacements, angles)
    return noisy


def _poses(lines: int, starts: np.ndarray, centre: float) -> np.ndarray:
    """Pose of each phase-encoding line, in FFT order: 0 is the first pose, p the one after movement p."""
    pose = np.searchsorted(starts, np.arange(lines), side="right")
    distance_from_zero = np.abs(np.arange(lines) - lines // 2)
    pose[distance_from_zero < centre * lines / 2] = 0
    return np.fft.ifftshift(pose)


def _recorded_while_moving(
    image: np.ndarray, pose_of_line: np.ndarray, displacements: np.ndarray, angles: np.ndarray
) -> np.ndarray:
    """Magnitude image of a spectrum whose lines were recorded in different poses.

    The pose of a sample depends on its line alone, so the transform along the readout cancels. The lines are therefore
    taken in the hybrid space of phase-encoding frequency and column, in which a movement along the readout can respect the
    borders of the image. Only the difference from the lines at rest is transformed back, so that without movement the
    image does not change at all.
    """
    import scipy.fft

    still = scipy.fft.fft(image, axis=0)
    frequency = scipy.fft.fftfreq(len(image))
    change = np.zeros_like(still)
    for pose in np.unique(pose_of_line[pose_of_line > 0]):
        lines = np.flatnonzero(pose_of_line == pose)
        (down, right), angle = displacements[pose - 1], angles[pose - 1]
        turned = still if angle == 0 else scipy.fft.fft(_rotated(image, angle), axis=0)
        seen = turned[lines] * np.exp(-2j * np.pi * frequency[lines, None] * down).astype(np.complex64)
        change[lines] = seen - still[lines]
        change.real[lines] += change_by_shift(seen.real, right)
        change.imag[lines] += change_by_shift(seen.imag, right)
    return np.abs(image + scipy.fft.ifft(change, axis=0))


def _rotated(image: np.ndarray, angle: float) -> np.ndarray:
    """The image rotated about its centre by `angle` degrees, continued by its mirror image."""
    import cv2

    height, width = image.shape
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle, 1)
    return cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)

"""Artefacts that arise in the spatial frequencies a magnetic resonance scanner records.

Rows (axis 1) are the phase-encoding direction, columns (axis 2) the readout direction.
"""

from typing import Annotated

import numpy as np
from pydantic import Field, model_validator

from fplbench.noise.draws import Draws
from fplbench.noise.entry import noise
from fplbench.noise.levels import Count, Level, Within
from fplbench.options import Options

FAT_HU = (-140.0, -50.0)
"""Attenuation of fat in CT, Hounsfield units."""
FAT_WATER_PPM = 3.5
"""Difference of the resonances of water and fat, parts per million."""
GYROMAGNETIC_RATIO = 42.577
"""Of the proton, MHz/T."""


class WrapAroundOptions(Options):
    """Options of `wrap_around`."""

    strength: Annotated[Level, Within(0, 1)] = Field(
        0.3, description="Weight of what folds in: 1 is a coil equally sensitive outside the field of view."
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
def wrap_around(clean: np.ndarray, draws: Draws, options: WrapAroundOptions) -> np.ndarray:
    """Aliasing along the phase encoding: y(r) = x(r) + a sum over k != 0 of x(r + k f H), x zero outside the image.

    Sampling k-space at steps of 1 / (f H) makes the image periodic with f H rows: what lies outside the field of view
    appears inside. All H rows are shown, so that the image keeps its place. With f = 1/2 this is x + a roll(x, H/2).
    """
    height = clean.shape[1]
    noisy = clean.copy()
    periods = np.rint(options.field_of_view * height).astype(int)
    for image, source, period, strength in zip(noisy, clean, periods.flat, options.strength.flat, strict=True):
        for offset in range(period, height, period):
            image[:-offset] += strength * source[offset:]
            image[offset:] += strength * source[:-offset]
    return noisy


class ChemicalShiftOptions(Options):
    """Options of `chemical_shift`; field strength and bandwidth count where `shift` is null."""

    shift: Annotated[Level | None, Within(0, 32)] = Field(
        (2.0, 4.0), description="Displacement of fat along the readout, pixels; null derives it from the two below."
    )
    field_strength: Annotated[Level, Within(0, 20)] = Field(1.5, description="Main magnetic field, tesla.")
    bandwidth: Annotated[Level, Within(0, 1e6, above=True)] = Field(80.0, description="Receiver bandwidth of one pixel, hertz.")
    fat: tuple[float, float] = Field(
        (0.61, 0.68), description="Grey values taken for fat, in [0,1]; the default is fat in CT at the lung window."
    )
    edge: float = Field(
        0.03, gt=0, le=1, description="Width over which the fat fraction falls to zero beside the band, grey range."
    )
    window: tuple[float, float] | None = Field(
        None, description="Grey window of CT images, HU. If given, fat is -140 to -50 HU and `fat` does not count."
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
)
def chemical_shift(clean: np.ndarray, draws: Draws, options: ChemicalShiftOptions) -> np.ndarray:
    """Fat displaced along the readout: y = | water + F^-1(F(fat) exp(-2 pi i k D)) |, with D in pixels.

    D = 3.5 ppm gamma B0 / bandwidth of a pixel. The images do not tell water from fat, so grey values between the ends
    of `fat` are taken for fat, with a linear fall to none over `edge` on either side. Borders between tissue and air
    pass through these values too: what is narrower than three pixels does not count (morphological opening).
    """
    import cv2

    shift = options.shift
    if shift is None:
        shift = FAT_WATER_PPM * GYROMAGNETIC_RATIO * options.field_strength / options.bandwidth
    low, high = _fat_band(options)
    outside = np.maximum(low - clean, clean - high)
    fraction = np.clip(1 - outside / np.float32(options.edge), 0, 1)
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    fat = np.empty_like(clean)
    for image, share, result in zip(clean, fraction, fat, strict=True):
        result[...] = image * cv2.morphologyEx(share, cv2.MORPH_OPEN, cross)
    return np.abs(clean + _displacement(fat, shift))


def _fat_band(options: ChemicalShiftOptions) -> tuple[np.float32, np.float32]:
    if options.window is None:
        return np.float32(options.fat[0]), np.float32(options.fat[1])
    floor, ceiling = options.window
    return tuple(np.float32((hu - floor) / (ceiling - floor)) for hu in FAT_HU)


def _displacement(images: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """What a shift by `shift` (N, 1, 1) pixels along the readout adds: F^-1(F(x) (exp(-2 pi i k D) - 1)).

    The readout is filtered against aliasing, so nothing may wrap to the other side: rows go on as mirror images beyond
    the field of view, and are cut again.
    """
    import scipy.fft

    width = images.shape[2]
    change = np.empty_like(images)
    for image, result, distance in zip(images, change, shift.flat, strict=True):
        margin = min(width - 1, int(np.ceil(distance)) + 8)
        length = scipy.fft.next_fast_len(width + 2 * margin, real=True)
        padded = np.pad(image, ((0, 0), (margin, length - width - margin)), mode="reflect")
        ramp = (np.exp(-2j * np.pi * scipy.fft.rfftfreq(length) * distance) - 1).astype(np.complex64)
        shifted = scipy.fft.irfft(scipy.fft.rfft(padded) * ramp, length)
        result[...] = shifted[:, margin : margin + width]
    return change


class MotionOptions(Options):
    """Options of `motion`."""

    moves: Annotated[Count, Within(0, 32)] = Field((2, 4), description="Number of sudden movements during the scan.")
    shift: Annotated[Level, Within(0, 64)] = Field(6.0, description="Largest displacement along each axis, pixels.")
    rotation: Annotated[Level, Within(0, 45)] = Field(5.0, description="Largest rotation, degrees.")
    centre: float = Field(
        0.08,
        ge=0,
        le=1,
        description="Fraction of the phase-encoding lines, around zero, recorded in the first pose.",
    )


@noise(
    "motion",
    label="Motion Art.",
    title="Motion Artifacts",
    options=MotionOptions,
    cites="Shaw et al. 2019, https://proceedings.mlr.press/v102/shaw19a.html",
)
def motion(clean: np.ndarray, draws: Draws, options: MotionOptions) -> np.ndarray:
    """Sudden rigid movements between phase-encoding lines: y = | F^-1( sum over poses p of W_p F(x moved to p) ) |.

    W_p selects the lines recorded in pose p: lines are recorded in order of their frequency, movements fall at random
    between them, and the lines around zero, which make the contrast, belong to the first pose.
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
    """Pose of each phase-encoding line, in FFT order: 0 is the first, p the one after movement p."""
    pose = np.searchsorted(starts, np.arange(lines), side="right")
    distance_from_zero = np.abs(np.arange(lines) - lines // 2)
    pose[distance_from_zero < centre * lines / 2] = 0
    return np.fft.ifftshift(pose)


def _recorded_while_moving(
    image: np.ndarray, pose_of_line: np.ndarray, displacements: np.ndarray, angles: np.ndarray
) -> np.ndarray:
    """Magnitude image of a spectrum whose lines see the image in different poses.

    Only the difference from the resting spectrum is transformed, so that without movement the image stays as it is.
    """
    import scipy.fft

    still = scipy.fft.fft2(image)
    change = np.zeros_like(still)
    vertical, horizontal = scipy.fft.fftfreq(image.shape[0]), scipy.fft.fftfreq(image.shape[1])
    for pose, ((down, right), angle) in enumerate(zip(displacements, angles, strict=True), start=1):
        lines = pose_of_line == pose
        if lines.any():
            turned = still[lines] if angle == 0 else scipy.fft.fft2(_rotated(image, angle))[lines]
            phase = np.exp(-2j * np.pi * (vertical[lines, None] * down)) * np.exp(-2j * np.pi * horizontal * right)
            change[lines] = turned * phase.astype(np.complex64) - still[lines]
    return np.abs(image + scipy.fft.ifft2(change))


def _rotated(image: np.ndarray, angle: float) -> np.ndarray:
    """The image turned about its centre by `angle` degrees, mirrored beyond its borders."""
    import cv2

    height, width = image.shape
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle, 1)
    return cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)

"""Artefacts of non-uniform magnetic fields: bias fields of coils, and magnetised objects in the body."""

from typing import Annotated, NamedTuple

import numpy as np
from pydantic import Field

from fplbench.noise.draws import Draws
from fplbench.noise.levels import Count, Level, PerImage, Within
from fplbench.noise.registry import noise
from fplbench.options import Options


class MagneticFieldOptions(Options):
    """Options of `magnetic_field`."""

    strength: Annotated[Level, Within(0, 2)] = Field(0.3, description="Largest absolute coefficient of the polynomial.")
    order: int = Field(3, ge=1, le=6, strict=True, description="Order of the polynomial.")


@noise(
    "magnetic_field",
    label="Mag. Field",
    title="Magnetic Field Inhomogeneity",
    options=MagneticFieldOptions,
    cites="Van Leemput et al. 1999, Automated model-based tissue classification of MR images of the brain, "
    "doi 10.1109/42.811270; as augmentation: Sudre et al. 2017, doi 10.1016/j.media.2017.02.007",
)
def magnetic_field(clean: np.ndarray, draws: Draws, options: PerImage) -> np.ndarray:
    """Bias field: y = x b / mean(b), b = exp(sum of c_ij u^i v^j over 1 <= i + j <= order), u and v in [-1,1].

    This is the sensitivity of the receiver coil, a bias of the receive field B1. An inhomogeneous main field B0 displaces signal
    and dephases it instead; `susceptibility` does that.

    The coefficients are uniform on [-c, c]. A constant factor would not be an inhomogeneity, since the receiver gain
    absorbs it: the polynomial has no constant term, and the mean of the field over the image is one.
    """
    height, width = clean.shape[1:]
    v = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    u = np.linspace(-1, 1, width, dtype=np.float32)
    size = options.order + 1
    coefficients = options.strength * draws.uniform(-1, 1, (size, size))
    coefficients[:, np.add.outer(np.arange(size), np.arange(size)) > options.order] = 0
    coefficients[:, 0, 0] = 0
    # Horner's scheme, as a polynomial in v whose coefficients are polynomials in u.
    exponent = np.zeros_like(clean)
    for i in reversed(range(size)):
        exponent *= v
        exponent += _polynomial(coefficients[:, i], u)
    field = np.exp(exponent, out=exponent)
    field /= field.mean(axis=(1, 2), keepdims=True, dtype=np.float64).astype(np.float32)
    return clean * field


def _polynomial(coefficients: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Sum over j of c_j u^j, for coefficients (N, J); the result is (N, 1, W)."""
    result = np.zeros((len(coefficients), 1, len(u)), np.float32)
    for j in reversed(range(coefficients.shape[1])):
        result = result * u + coefficients[:, j, None, None]
    return result


class SusceptibilityOptions(Options):
    """Options of `susceptibility`."""

    sources: Annotated[Count, Within(0, 16)] = Field((1, 3), description="Number of magnetised objects in the image.")
    radius: Annotated[Level, Within(0, 64)] = Field((4.0, 12.0), description="Radius of an object, pixels.")
    shift: Annotated[Level, Within(0, 64)] = Field(
        (4.0, 12.0), description="Displacement along the readout at the surface of an object, pixels."
    )
    dephasing: Annotated[Level, Within(0, 10)] = Field(
        0.5,
        description="Echo time times bandwidth per pixel: cycles of phase across a pixel for a displacement gradient of 1.",
    )


@noise(
    "susceptibility",
    label="Susc. Art.",
    title="Susceptibility Artifacts",
    options=SusceptibilityOptions,
    cites="Schenck 1996, doi 10.1118/1.597854; Ludeke, Roschmann and Tischler 1985, doi 10.1016/0730-725X(85)90397-2",
)
def susceptibility(clean: np.ndarray, draws: Draws, options: PerImage) -> np.ndarray:
    """Distortion, pile-up and signal loss around magnetised cylinders perpendicular to the main field.

    Outside a cylinder of radius a the field deviates by (a/r)^2 cos 2t, where t is the angle to the main field, which runs
    down the image. The readout places the signal at x + d with d = D (a/r)^2 cos 2t pixels. Signal is moved, not created:
    where d compresses the image, it becomes brighter by the Jacobian. Phase that varies across a pixel attenuates it by
    | sinc(T dd/dx) sinc(T dd/dy) |, and the cylinder itself gives no signal.
    """
    noisy = np.empty_like(clean)
    levels = zip(options.sources.flat, options.radius.flat, options.shift.flat, options.dephasing.flat, strict=True)
    for generator, image, result, (sources, radius, shift, dephasing) in zip(draws, clean, noisy, levels, strict=True):
        centres = generator.uniform(0.15, 0.85, (sources, 2)) * image.shape
        signs = generator.choice((-1.0, 1.0), sources)
        if sources == 0 or shift == 0 or radius == 0:
            result[...] = image
            continue
        cylinders = [Cylinder(row, column, radius, sign * shift) for (row, column), sign in zip(centres, signs, strict=True)]
        result[...] = _distorted(image, cylinders, dephasing)
    return noisy


class Cylinder(NamedTuple):
    """A magnetised object: its centre, its radius and the displacement at its surface, all in pixels."""

    row: float
    column: float
    radius: float
    shift: float


def displacement(cylinders: list[Cylinder], rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Displacement along the readout at rows (H, 1) and columns (W,), in pixels: the sum over all cylinders."""
    total = np.zeros(np.broadcast_shapes(rows.shape, columns.shape), np.float32)
    for cylinder in cylinders:
        down2 = np.square(rows - cylinder.row, dtype=np.float32)
        across2 = np.square(columns - cylinder.column, dtype=np.float32)
        radius2 = np.maximum(down2 + across2, np.float32(cylinder.radius**2))
        # cos 2t = (down^2 - across^2) / r^2, so d = D a^2 (down^2 - across^2) / r^4.
        total += np.float32(cylinder.shift * cylinder.radius**2) * (down2 - across2) / np.square(radius2)
    return total


def _distorted(image: np.ndarray, cylinders: list[Cylinder], dephasing: float) -> np.ndarray:
    """The image as the scanner shows it: first signal loss, then displacement along the readout."""
    height, width = image.shape
    margin = _margin(cylinders, width)
    rows = np.arange(height, dtype=np.float32)[:, None]
    edges = np.arange(-margin, width + margin + 1, dtype=np.float32) - np.float32(0.5)
    shift = displacement(cylinders, rows, edges)
    signal = np.pad(image, ((0, 0), (margin, margin)), mode="reflect")
    signal *= _coherence(shift, dephasing)
    for cylinder in cylinders:
        _empty(signal, cylinder, margin)
    return push(signal, edges + shift + np.float32(0.5), width)


def _margin(cylinders: list[Cylinder], width: int) -> int:
    """Number of mirrored columns beyond the image from which signal can be displaced into it.

    At a distance r from a cylinder the displacement is at most D (a / r)^2. Signal m columns outside can only reach the
    image if the sum of these bounds is at least m. The sum decreases with m, so none comes from beyond the first m at
    which it is smaller.
    """
    column, radius, shift = (np.array([getattr(each, name) for each in cylinders]) for name in ("column", "radius", "shift"))
    beyond = np.arange(np.abs(shift).sum() + 2)[:, None]
    distance = np.maximum(np.minimum(column, width - 1 - column) + beyond, radius)
    reach = (np.abs(shift) * (radius / distance) ** 2).sum(axis=1)
    return int(np.argmax(reach < beyond[:, 0]))


def _coherence(shift: np.ndarray, dephasing: float) -> np.ndarray:
    """Fraction of the signal that remains if phase varies linearly across each pixel; `shift` (H, M + 1) is at the edges."""
    along_columns = np.diff(shift, axis=1)
    along_rows = np.gradient(shift, axis=0)
    along_rows = (along_rows[:, 1:] + along_rows[:, :-1]) / 2
    factor = np.float32(dephasing)
    return np.abs(np.sinc(factor * along_rows) * np.sinc(factor * along_columns))


def _empty(signal: np.ndarray, cylinder: Cylinder, margin: int) -> None:
    """Remove the signal of the cylinder, in place, with an edge one pixel wide."""
    reach = int(np.ceil(cylinder.radius)) + 1
    row, column = round(cylinder.row), round(cylinder.column) + margin
    top, left = max(0, row - reach), max(0, column - reach)
    window = signal[top : row + reach + 1, left : column + reach + 1]
    down = np.arange(top, top + window.shape[0])[:, None] - cylinder.row
    across = np.arange(left, left + window.shape[1]) - margin - cylinder.column
    window *= np.clip(np.hypot(down, across) - cylinder.radius + 0.5, 0, 1).astype(np.float32)


def push(signal: np.ndarray, edges: np.ndarray, width: int) -> np.ndarray:
    """Move signal along the rows without loss: the signal of a pixel is spread evenly between its displaced edges.

    Args:
        signal: intensities (H, M).
        edges: new positions of the pixels' edges, (H, M + 1), in pixels from the left border of the result. They may cross;
            signal from several places then adds up.
        width: number of columns of the result; what falls outside is lost.

    Returns:
        float32 (H, width).
    """
    height = len(signal)
    start = np.minimum(edges[:, :-1], edges[:, 1:]).ravel()
    length = np.abs(np.diff(edges, axis=1)).ravel()
    # Pixels stretched beyond one pixel are cut into parts of at most one, so that each part covers at most two pixels.
    parts = np.maximum(np.ceil(length), 1).astype(np.intp)
    source = np.repeat(np.arange(signal.size), parts)
    order = np.arange(len(source)) - np.repeat(np.cumsum(parts) - parts, parts)
    length = (length / parts)[source]
    start = start[source] + order * length
    mass = (signal.ravel() / parts)[source]

    pixel = np.floor(start)
    share = np.clip((pixel + 1 - start) / np.maximum(length, 1e-6), 0, 1)
    # Two extra columns on either side collect what falls outside.
    place = np.clip(pixel, -2, width).astype(np.intp) + 2 + (width + 4) * (source // signal.shape[1])
    landed = np.bincount(place, mass * share, height * (width + 4))
    landed += np.bincount(place + 1, mass * (1 - share), height * (width + 4))
    return landed.reshape(height, width + 4)[:, 2:-2].astype(np.float32)

"""What a noise declares, and the registry that finds it by name."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from fplbench.options import Options
from fplbench.registry import Registry

if TYPE_CHECKING:
    from fplbench.noise.draws import Draws
    from fplbench.noise.levels import PerImage

NoiseFunction = Callable[[np.ndarray, "Draws", "PerImage"], np.ndarray]
Flip = Literal["horizontal", "vertical"]
Need = Literal["hu", "pair"]
BOTH_FLIPS: tuple[Flip, ...] = ("horizontal", "vertical")


@dataclass(frozen=True)
class Noise:
    """A kind of noise or artefact as the benchmark knows it.

    Attributes:
        name: in the config, in file names and on the command line.
        label: short label, as in the paper's tables.
        title: full name.
        function: from clean images, their random numbers and the options to noisy images; see `noise`.
        cites: the publication that the model comes from.
        options: the model of its options.
        flips: the axes along which a clean image and its noisy version may be flipped together: the pair is then again a draw
            of the same model. A horizontal flip exchanges left and right, a vertical one top and bottom.
        needs: what the noise needs besides the image: "hu" for the stack of Hounsfield units, "pair" for the stack of noisy
            images that were acquired with the clean ones, or nothing. With "pair" there is one realisation only.
    """

    name: str
    label: str
    title: str
    function: NoiseFunction
    cites: str
    options: type[Options]
    flips: tuple[Flip, ...] = BOTH_FLIPS
    needs: Need | None = None

    @property
    def summary(self) -> str:
        """First line of the function's docstring."""
        return (self.function.__doc__ or "").strip().partition("\n")[0]


NOISES: Registry[Noise] = Registry("noise", "fplbench.noise")


def noise(
    name: str,
    *,
    label: str,
    title: str,
    options: type[Options],
    cites: str,
    flips: tuple[Flip, ...] = BOTH_FLIPS,
    needs: Need | None = None,
) -> Callable[[NoiseFunction], NoiseFunction]:
    """Decorator that registers a function `(clean, draws, options) -> noisy` as a noise.

    The function gets float32 images (N, H, W) in [0,1], the random numbers of these images, and the options, in which each
    field that may be a range is an array (N, 1, 1) with one value for each image. It returns float32 (N, H, W), not yet
    clipped. It must not modify `clean`, and the result for an image must not depend on the other images.

    Args:
        name: name of the noise, lower case with underscores.
        label: short label, for tables.
        title: full name.
        options: the model of its options.
        cites: the publication that the model comes from.
        flips: the axes along which clean and noisy image may be flipped together; see `Noise`.
        needs: "hu" if the function needs Hounsfield units, which it then finds in `options.hu`, float32 (N, H, W), with the
            sides of the pixels in `options.pixel_mm`, (N, 1, 1); "pair" if it needs the noisy images that were acquired with the
            clean ones, which it then finds in `options.pair`, float32 (N, H, W) in [0,1].

    Raises:
        ValueError: the name is taken, or the function has no docstring, whose first line describes the noise.
    """

    def register(function: NoiseFunction) -> NoiseFunction:
        if not (function.__doc__ or "").strip():
            raise ValueError(f"the function of the noise {name!r} needs a docstring whose first line says what it does")
        NOISES.add(name, Noise(name, label, title, function, cites, options, flips, needs))
        return function

    return register

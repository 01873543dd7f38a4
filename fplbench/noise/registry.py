"""What a noise is, and the registry of all of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fplbench.options import Options
from fplbench.registry import Registry

if TYPE_CHECKING:
    from fplbench.noise.draws import Draws

NoiseFunction = Callable[[np.ndarray, "Draws", Any], np.ndarray]


@dataclass(frozen=True)
class Noise:
    """One kind of noise or artefact."""

    name: str
    label: str
    """Short label, as in the paper's tables."""
    title: str
    """Full name."""
    options: type[Options]
    function: NoiseFunction
    cites: str
    """The literature the model comes from."""

    @property
    def description(self) -> str:
        """First line of the function's docstring."""
        return (self.function.__doc__ or "").strip().splitlines()[0]


NOISES: Registry[Noise] = Registry("noise", "fplbench.noise")


def noise(name: str, *, label: str, title: str, options: type[Options], cites: str) -> Callable[[NoiseFunction], NoiseFunction]:
    """Register a noise function `(clean, draws, options) -> noisy`.

    The function gets float32 images (N, H, W) in [0,1], the random draws of these images, and the options, in which
    every field that may be a range is an array (N, 1, 1) with one value an image. It returns float32 (N, H, W), not yet
    clipped, leaves `clean` as it is, and treats every image alone: what it does to one must not depend on the others.
    """

    def register(function: NoiseFunction) -> NoiseFunction:
        NOISES.add(name, Noise(name, label, title, options, function, cites))
        return function

    return register

"""Random numbers for a stack, from one generator for each image."""

from collections.abc import Iterator, Sequence

import numpy as np


class Draws:
    """Random numbers for N images, each of which has its own generator.

    The numbers of an image therefore do not depend on the other images or how many there are. All methods return arrays
    whose first axis is the image.
    """

    def __init__(self, generators: Sequence[np.random.Generator]):
        self.generators = list(generators)

    def __len__(self) -> int:
        return len(self.generators)

    def __iter__(self) -> Iterator[np.random.Generator]:
        return iter(self.generators)

    def normal(self, shape: tuple[int, ...] = ()) -> np.ndarray:
        """Standard normal values, float32 (N, *shape)."""
        return self._fill("standard_normal", shape)

    def exponential(self, shape: tuple[int, ...] = ()) -> np.ndarray:
        """Exponential values with mean one, float32 (N, *shape)."""
        return self._fill("standard_exponential", shape)

    def random(self, shape: tuple[int, ...] = ()) -> np.ndarray:
        """Uniform values in [0, 1), float32 (N, *shape)."""
        return self._fill("random", shape)

    def uniform(self, low: float, high: float, shape: tuple[int, ...] = ()) -> np.ndarray:
        """Uniform values in [low, high), float32 (N, *shape)."""
        return np.float32(low) + np.float32(high - low) * self.random(shape)

    def gamma(self, order: Sequence[float] | np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Gamma values with scale one, float32 (N, *shape).

        Args:
            order: shape parameter of the distribution, one for each image.
            shape: shape of the array for one image.
        """
        values = np.empty((len(self), *shape), np.float32)
        for generator, image, each in zip(self, values, np.ravel(order), strict=True):
            generator.standard_gamma(each, dtype=np.float32, out=image)
        return values

    def poisson(self, mean: np.ndarray) -> np.ndarray:
        """Poisson counts with the given means (N, ...), float32 of the same shape."""
        counts = np.empty(mean.shape, np.float32)
        for generator, image, each in zip(self, counts, mean, strict=True):
            image[...] = generator.poisson(each)
        return counts

    def _fill(self, method: str, shape: tuple[int, ...]) -> np.ndarray:
        values = np.empty((len(self), *shape), np.float32)
        for generator, image in zip(self, values.reshape(len(self), -1), strict=True):
            getattr(generator, method)(dtype=np.float32, out=image)
        return values

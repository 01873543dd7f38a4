"""Which images each step of a training sees."""

import numpy as np

from fplbench.seeds import generator


class Batches:
    """Batches of image positions: seeded permutations of all images, one behind the other.

    With several draws, a stack holds so many realisations of the images, one behind the other, and each epoch takes the next.
    """

    def __init__(self, count: int, size: int, seed: int, draws: int = 1):
        self.count, self.size, self.seed, self.draws = count, size, seed, draws

    def of(self, steps: range) -> np.ndarray:
        """Positions (steps, batch) of the images of each step; they depend on the seed and the step alone."""
        first, last = steps.start * self.size, steps.stop * self.size
        epochs = range(first // self.count, (last - 1) // self.count + 1)
        order = np.concatenate([self._epoch(epoch) for epoch in epochs])
        offset = epochs.start * self.count
        return order[first - offset : last - offset].reshape(len(steps), self.size)

    def _epoch(self, epoch: int) -> np.ndarray:
        return generator(self.seed, "epoch", epoch).permutation(self.count) + epoch % self.draws * self.count

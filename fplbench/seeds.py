"""The one seed function: a random stream for each combination of axes, independent of every other."""

import hashlib

import numpy as np


def generator(seed: int, *axes: str | int) -> np.random.Generator:
    """Random generator of one place in the benchmark.

    Args:
        seed: the seed of the run.
        axes: what the stream may depend on, in order (noise name, image identifier, ...).

    Returns:
        A generator whose stream depends on `seed` and `axes` alone, not on the machine or on what else is drawn.
    """
    key = "\x1f".join(map(str, (seed, *axes))).encode()
    return np.random.Generator(np.random.PCG64(int.from_bytes(hashlib.sha256(key).digest()[:16], "little")))

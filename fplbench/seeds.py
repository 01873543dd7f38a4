"""Random generators: an independent stream for each combination of axes."""

import hashlib

import numpy as np


def generator(seed: int, *axes: str | int) -> np.random.Generator:
    """Random generator for one place in the benchmark.

    Args:
        seed: the seed of the run.
        axes: what else the stream depends on, in order (name of the noise, image_id, ...).

    Returns:
        A generator whose stream depends on `seed` and `axes` only, not on the machine or on what else is drawn.
    """
    key = "\x1f".join(map(str, (seed, *axes))).encode()
    return np.random.Generator(np.random.PCG64(int.from_bytes(hashlib.sha256(key).digest()[:16], "little")))

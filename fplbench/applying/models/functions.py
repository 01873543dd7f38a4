"""Functions of one slice, float32 (H, W) in [0, 1] -> the same, of networks and of methods that work on stacks."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from fplbench.applying.units import to_eight_bit
from fplbench.denoising.learned import LearnedOptions
from fplbench.denoising.registry import Method
from fplbench.denoising.workers import submit
from fplbench.errors import InputError
from fplbench.options import Options

Function = Callable[[np.ndarray], np.ndarray]
FIRST = 64  # side of the image that a network denoises before any slice, pixels


def network_function(method: Method, options: LearnedOptions) -> Function:
    """A network in floating-point numbers. It is loaded here, once for all threads, so a later change of its file has no effect.

    Args:
        method: runs the network.
        options: its options.

    Raises:
        InputError: the weight file cannot be used, or the network does not return finite numbers.
    """

    def denoise(grey: np.ndarray) -> np.ndarray:
        return _images(method.function(grey[np.newaxis], options))[0]

    denoise(np.random.default_rng(0).random((FIRST, FIRST), np.float32))
    return denoise


def onnx_function(path: Path, threads: int) -> Function:
    """The network of an ONNX file. It is never tiled, as it could not know where a tile lies."""
    from fplbench.applying.models.onnx_export import OnnxDenoiser

    run = OnnxDenoiser(path, threads)

    def denoise(grey: np.ndarray) -> np.ndarray:
        denoised = run(grey)
        if not np.isfinite(denoised).all():
            raise InputError(f"The network of {path.name} returned values that are not finite: its weights are damaged.")
        return denoised

    return denoise


def eight_bit_function(method: Method, options: Options, threads: int) -> Function:
    """A method that works on 8-bit images; it gets `threads` processes if it needs them."""

    def denoise(grey: np.ndarray) -> np.ndarray:
        noisy = to_eight_bit(grey)[np.newaxis]
        processes = method.processes and threads > 1
        result = submit(threads, method.function, noisy, options).result() if processes else method.function(noisy, options)
        return _images(result)[0] / np.float32(255)

    return denoise


def _images(result: Any) -> np.ndarray:
    """The images of what a method returns, without the columns that it records."""
    return result[0] if isinstance(result, tuple) else result

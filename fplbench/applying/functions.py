"""Functions of one slice, float32 (H, W) in [0, 1] -> the same, of networks and of methods that work on stacks."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from fplbench.applying.units import to_eight_bit
from fplbench.denoising.learned import LearnedOptions
from fplbench.denoising.registry import Method
from fplbench.denoising.workers import submit
from fplbench.device import choose_device
from fplbench.errors import InputError
from fplbench.options import Options

Function = Callable[[np.ndarray], np.ndarray]


def network_function(method: Method, options: LearnedOptions, threads: int, slices: int) -> tuple[Function, int]:
    """A network in floating-point numbers.

    Args:
        method: runs the network.
        options: its options.
        threads: processor cores to use on the CPU.
        slices: number of slices that may share them.

    Returns:
        The function, and the number of threads that can call it at the same time: one where a GPU is used.
    """
    import torch

    parallel = slices if choose_device(options.device).type == "cpu" else 1
    each = threads // parallel

    def denoise(grey: np.ndarray) -> np.ndarray:
        if torch.get_num_threads() != each:  # a setting of the thread that calls
            torch.set_num_threads(each)
        return _images(method.function(grey[np.newaxis], options))[0]

    return denoise, parallel


def onnx_function(path: Path, threads: int, slices: int) -> tuple[Function, int]:
    """The network of an ONNX file, as `network_function`. It is never tiled, as it could not know where a tile lies."""
    from fplbench.applying.onnx_export import OnnxDenoiser

    run = OnnxDenoiser(path, threads // slices)

    def denoise(grey: np.ndarray) -> np.ndarray:
        denoised = run(grey)
        if not np.isfinite(denoised).all():
            raise InputError(f"The network of {path.name} returned values that are not finite: its weights are damaged.")
        return denoised

    return denoise, slices


def eight_bit_function(method: Method, options: Options, threads: int) -> tuple[Function, int]:
    """A method that works on 8-bit images, and the number of threads that can call it; it gets processes if it needs them."""

    def denoise(grey: np.ndarray) -> np.ndarray:
        noisy = to_eight_bit(grey)[np.newaxis]
        processes = method.processes and threads > 1
        result = submit(threads, method.function, noisy, options).result() if processes else method.function(noisy, options)
        return _images(result)[0] / np.float32(255)

    return denoise, 1 if method.gpu else threads


def _images(result: Any) -> np.ndarray:
    """The images of what a method returns, without the columns that it records."""
    return result[0] if isinstance(result, tuple) else result

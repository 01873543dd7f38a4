"""Functions of one slice, float32 (H, W) in [0, 1] -> the same, of networks and of methods that work on stacks."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fplbench.applying.units import to_eight_bit
from fplbench.denoising.learned import LearnedOptions, run_network
from fplbench.denoising.registry import Method
from fplbench.options import Options
from fplbench.peers import PEERS

if TYPE_CHECKING:
    from torch import Tensor

    from fplbench.networks.tiles import Place

WHOLE = 2**14  # pixels; a tile that no image exceeds


def network_function(method: Method, options: Options, threads: int) -> Callable[[np.ndarray], np.ndarray]:
    """A network in floating-point numbers."""
    import torch

    def denoise(grey: np.ndarray) -> np.ndarray:
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        return _images(method.function(grey[np.newaxis], options))[0]

    return denoise


def onnx_function(path: Path, method: Method, threads: int) -> Callable[[np.ndarray], np.ndarray]:
    """The network of an ONNX file, padded as that of torch, but never tiled: it cannot know where a tile lies."""
    import torch

    from fplbench.applying.onnx_export import OnnxDenoiser

    run = OnnxDenoiser(path, threads)
    options = LearnedOptions(tile=WHOLE, device="cpu")
    multiple = _multiple(method)

    def of_tile(_: slice, images: "Tensor", place: "Place | None") -> "Tensor":
        return torch.from_numpy(run(images[0, 0].numpy()))[None, None]

    return lambda grey: run_network(grey[np.newaxis], options, of_tile, torch.device("cpu"), multiple)[0]


def _multiple(method: Method) -> int:
    """What the sides of a network's images are multiples of."""
    from fplbench.networks.unet import UNET_MULTIPLE

    return PEERS[method.name].multiple if method.name in PEERS else UNET_MULTIPLE


def eight_bit_function(method: Method, options: Options) -> Callable[[np.ndarray], np.ndarray]:
    """A method that works on 8-bit images."""

    def denoise(grey: np.ndarray) -> np.ndarray:
        return _images(method.function(to_eight_bit(grey)[np.newaxis], options))[0] / np.float32(255)

    return denoise


def _images(result: Any) -> np.ndarray:
    """The images of what a method returns, without the columns that it records."""
    return result[0] if isinstance(result, tuple) else result

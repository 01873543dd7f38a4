"""Running networks on stacks: loading their weights, padding images, and converting between arrays and tensors."""

import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from fplbench.device import choose_device
from fplbench.errors import InputError
from fplbench.networks import weights


def load_network(path: str | os.PathLike, needed: type | str, device: str, output: str = "") -> Any:
    """The network of a weight file, read once for all chunks of a stack, in the fastest memory layout.

    Args:
        path: the weight file.
        needed: the class that the network must have, such as UNet, or the name of the peer that it must be.
        device: auto, cpu or cuda.
        output: what the network must return, image or noise, if two trainings share an architecture. A file that does not
            record it is accepted.

    Raises:
        InputError: the file cannot be loaded, or its network is another one or returns something else.
    """
    changed = Path(path).stat().st_mtime_ns if Path(path).exists() else 0
    network, metadata = _load_network(str(path), changed, str(choose_device(device)))
    if isinstance(needed, str) and metadata["architecture"] != needed:
        raise InputError(f"{path} holds the network {metadata['architecture']!r}, but {needed!r} is needed here.")
    if isinstance(needed, type) and not isinstance(network, needed):
        raise InputError(f"{path} holds a {type(network).__name__}, but a {needed.__name__} is needed here.")
    if output and metadata.get("output", output) != output:
        raise InputError(
            f"The network of {path} was trained to predict the {metadata['output']}, but one that predicts the {output} is "
            "needed here."
        )
    return network


@lru_cache(maxsize=1)
def _load_network(path: str, changed: int, device: str) -> tuple[Any, dict[str, Any]]:
    import torch

    network, metadata = weights.load(path, device)
    return network.to(memory_format=torch.channels_last), metadata


def pad_to_multiple(images: np.ndarray, multiple: int) -> np.ndarray:
    """Extend images (N, H, W) at the bottom and right by reflection, so that both sides are multiples of `multiple`."""
    height, width = images.shape[1:]
    return np.pad(images, ((0, 0), (0, -height % multiple), (0, -width % multiple)), mode="reflect")


def to_tensor(images: np.ndarray, device: Any) -> Any:
    """Images (N, H, W), uint8 or float32 in [0, 1], as a float32 tensor (N, 1, H, W) in [0, 1]."""
    import torch

    tensor = torch.from_numpy(np.array(images)).to(device).unsqueeze(1)
    return tensor.float().div_(255) if images.dtype == np.uint8 else tensor


def to_images(tensor: Any, dtype: np.dtype) -> np.ndarray:
    """A tensor (N, 1, H, W) in [0, 1], clipped, as images (N, H, W): uint8, rounded, or float32 in [0, 1].

    Raises:
        InputError: a value is not finite.
    """
    import torch

    if not torch.isfinite(tensor).all():
        raise InputError("The network returned values that are not finite: its weights are damaged, or an option is too extreme.")

    images = tensor.squeeze(1)
    if dtype == np.uint8:
        return images.mul(255).round_().clamp_(0, 255).to(torch.uint8).cpu().numpy()
    return images.clamp(0, 1).cpu().numpy()

"""Weight files: safetensors with a description of the network in the header, never a pickle.

The header holds one JSON object under the key "fplbench": which network it is (`architecture`, `config`), the `version`
that wrote it, and whatever the caller adds (data set, noise, options, seed). A file can therefore be loaded without
knowing what is in it.
"""

import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fplbench import __version__
from fplbench.errors import InputError, nearest
from fplbench.files import check_seal, replacing
from fplbench.networks import architectures, network_class
from fplbench.peers import PEERS, build

if TYPE_CHECKING:
    from torch import nn

RESERVED = ("architecture", "config", "version")
HEADER_KEY = "fplbench"
LARGEST_PUBLISHED = 2**28  # bytes; DRUNet's weights have 130 MB
LARGEST_NUMBER = 1024
"""In the description of a network, if neither the number of its tensors nor one of their sides is larger."""


def save(network: "nn.Module", path: str | os.PathLike[str], metadata: Mapping[str, Any] | None = None) -> None:
    """Write a network to a safetensors file, which appears complete or not at all.

    Args:
        network: one of fplbench.networks, whose `config` holds the arguments of its constructor, or a peer's network, as
            `fplbench.peers.build` returns it.
        path: the .safetensors file; missing folders are created.
        metadata: further entries of the header, such as the options and the seed of the training; JSON values.

    Raises:
        ValueError: the network is neither one of fplbench.networks nor a peer's, or `metadata` has a key architecture, config
            or version.
    """
    from safetensors.torch import save_file

    architecture = getattr(network, "architecture", None) or type(network).__module__.rpartition(".")[2]
    if architecture not in known() or not hasattr(network, "config"):
        raise ValueError(f"{type(network).__name__} is not a network of fplbench.networks or fplbench.peers.build")
    metadata = dict(metadata or {})
    if taken := set(metadata) & set(RESERVED):
        raise ValueError(f"the metadata keys {sorted(taken)} are reserved")
    header = {"architecture": architecture, "config": network.config, "version": __version__, **metadata}
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    with replacing(path, sealed=True) as temporary:
        # A single entry: safetensors writes several in random order, so that equal networks would give different files.
        save_file(tensors, temporary, {HEADER_KEY: json.dumps(header)})


def read_metadata(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read the header of a file that `save` wrote, without its tensors.

    Raises:
        InputError: the file is missing or is not a safetensors file, or its header does not describe a network.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            header = file.metadata() or {}
    except FileNotFoundError:
        raise InputError(f"The weight file {path} does not exist.") from None
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} is not a readable safetensors file: {error}.") from None
    if HEADER_KEY not in header:
        raise InputError(f"{path} does not say which network it holds, as files written by fplbench do.")
    try:
        metadata = json.loads(header[HEADER_KEY])
    except (json.JSONDecodeError, RecursionError):
        metadata = None
    if not isinstance(metadata, dict) or not {"architecture", "config"} <= metadata.keys():
        raise InputError(f"The header of {path} is damaged: it is not the one that fplbench writes.")
    return metadata


def load(path: str | os.PathLike[str], device: str = "cpu") -> tuple[Any, dict[str, Any]]:
    """Load a network from a weight file.

    Args:
        path: a .safetensors file that `save` wrote, or the .pth file published for DRUNet.
        device: where to put the network ("cpu" or "cuda").

    Returns:
        The network in evaluation mode, and the metadata of the header: `architecture`, `config`, `version`, and what the
        training added, such as `seed`.

    Raises:
        InputError: the file is missing or damaged, or its tensors are not exactly those of the network that it names.

    Examples:
        Load a denoiser that `fplbench train fpl` wrote. It predicts the noise of images (N, 1, H, W) in [0, 1]:

        >>> import numpy as np
        >>> import torch
        >>> from fplbench.networks import weights
        >>> network, metadata = weights.load("fpl.safetensors")
        >>> metadata["architecture"]
        'unet'
        >>> images = np.full((2, 64, 64), 128, np.uint8)
        >>> noisy = torch.from_numpy(images).unsqueeze(1).float() / 255
        >>> with torch.inference_mode():
        ...     denoised = noisy - network(noisy)
        >>> denoised.mul(255).round().clamp(0, 255).to(torch.uint8).squeeze(1).numpy().shape
        (2, 64, 64)
    """
    if Path(path).suffix == ".pth":
        return _load_published(Path(path), device)
    from safetensors.torch import load_file

    metadata = read_metadata(path)
    try:
        check_seal(path)
    except ValueError as error:
        raise InputError(f"The weight file {path} cannot be used: {error}.") from None
    tensors = load_file(path)
    network = _build(metadata["architecture"], metadata["config"], tensors, path)
    _fill(network, tensors, path)
    return network.to(device).eval(), metadata


def known() -> list[str]:
    """Names of the networks that a weight file can hold."""
    return sorted({*architectures(), *PEERS})


def _build(architecture: Any, config: Any, tensors: Mapping[str, Any], path: str | os.PathLike[str]) -> Any:
    """The network that a file describes; its numbers can be no larger than its tensors allow, however it was written."""
    if architecture not in known():
        raise InputError(f"{path} holds a network named {architecture!r}: {nearest(str(architecture), known())}")
    what = f"{path} describes a network {architecture} that cannot be built here"
    most = max(LARGEST_NUMBER, len(tensors), *(side for tensor in tensors.values() for side in tensor.shape))
    if not isinstance(config, Mapping) or _largest(config) > most:
        raise InputError(f"{what}: its options do not fit its tensors.")
    try:
        return build(architecture, config) if architecture in PEERS else network_class(architecture)(**config)
    except InputError as error:
        raise InputError(f"{path} cannot be loaded: {error}") from None
    except TypeError as error:
        raise InputError(f"{path} describes a network {architecture} that this version cannot build: {error}.") from None
    except (ArithmeticError, AttributeError, LookupError, MemoryError, RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else "memory is full"
        raise InputError(f"{what}: {reason}.") from None


def _largest(value: Any) -> float:
    """The largest number in a JSON value, without regard to its sign; 0 where there is none."""
    if isinstance(value, Mapping | list):
        return max(map(_largest, value.values() if isinstance(value, Mapping) else value), default=0)
    return abs(value) if isinstance(value, int | float) else 0


def _load_published(path: Path, device: str) -> tuple[Any, dict[str, Any]]:
    """DRUNet from its published state dictionary: a torch file, in which only tensors are allowed."""
    import torch

    try:
        _check_unpacked(path)
        tensors = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise InputError(f"The weight file {path} does not exist; `fplbench fetch drunet` downloads it.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from None
    except InputError:
        raise
    except Exception:  # a damaged file can raise anything, and torch's own words recommend to allow everything
        raise InputError(
            f"{path} cannot be read as a dictionary of tensors: it is damaged, or another kind of file. Nothing in it was run."
        ) from None
    if not isinstance(tensors, Mapping) or not all(isinstance(tensor, torch.Tensor) for tensor in tensors.values()):
        raise InputError(f"{path} does not hold a dictionary of tensors, as DRUNet's published file does.")
    network = network_class("drunet")()
    _fill(network, tensors, path)
    metadata = {"architecture": "drunet", "config": network.config, "source": "published"}
    return network.to(device).eval(), metadata


def _check_unpacked(path: Path) -> None:
    """Raise InputError where the parts of a torch file, which is a .zip file, take far more space than DRUNet's."""
    if not zipfile.is_zipfile(path):
        return  # torch's older format is not compressed
    with zipfile.ZipFile(path) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
    if size > LARGEST_PUBLISHED:
        raise InputError(f"{path} would have {size:,} bytes unpacked, more than DRUNet's published file can have.")


def _fill(network: "nn.Module", tensors: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Copy tensors into the network; their names and shapes must match exactly."""
    expected = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if expected != found:
        raise InputError(f"{path} does not hold {type(network).__name__}: {_difference(expected, found)}.")
    network.load_state_dict(tensors, strict=True)


def _difference(expected: dict[str, tuple], found: dict[str, tuple]) -> str:
    """A clause that names the first tensor that is missing, unexpected or of the wrong shape."""
    for name, shape in expected.items():
        if name not in found:
            return f"the tensor {name} is missing"
        if found[name] != shape:
            return f"the tensor {name} has shape {found[name]}, not {shape}"
    return f"the tensor {next(name for name in found if name not in expected)} is not one of its tensors"

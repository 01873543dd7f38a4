"""Weight files: safetensors with the network's description in the header; never a pickle.

The header of a file holds one JSON object under the key "fplbench": which network it is (`architecture`, `config`), the
`version` that wrote it, and whatever the caller adds (data set, noise, options, seed). So a file can be loaded without
being told what is in it.
"""

import json
import os
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fplbench import __version__
from fplbench.errors import InputError, nearest
from fplbench.files import replacing
from fplbench.networks import architectures, network_class

RESERVED = ("architecture", "config", "version")
HEADER_KEY = "fplbench"


def save(network, path: str | os.PathLike, metadata: Mapping[str, Any] | None = None) -> None:
    """Write a network as one safetensors file; it appears complete or not at all.

    Args:
        network: one of fplbench.networks; its `config` holds the arguments of its constructor.
        path: the .safetensors file; missing folders are made.
        metadata: further entries of the header, any JSON values, for instance the options and seed of the training.

    Raises:
        ValueError: the network is of another class, or `metadata` uses one of the keys architecture, config, version.
    """
    from safetensors.torch import save_file

    architecture = type(network).__module__.rpartition(".")[2]
    if architecture not in architectures():
        raise ValueError(f"{type(network).__name__} is not a network of fplbench.networks")
    metadata = dict(metadata or {})
    if taken := set(metadata) & set(RESERVED):
        raise ValueError(f"the metadata keys {sorted(taken)} are written by save itself")
    header = {"architecture": architecture, "config": network.config, "version": __version__, **metadata}
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        # One entry alone: safetensors writes several in random order, and equal networks would be unequal files.
        save_file(tensors, temporary, {HEADER_KEY: json.dumps(header)})


def read_metadata(path: str | os.PathLike) -> dict[str, Any]:
    """Read the header of a safetensors file that `save` wrote, without its tensors.

    Raises:
        InputError: the file is missing, is no safetensors file, or its header does not describe a network.
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
        raise InputError(f"{path} does not say which network it holds; only files written by fplbench do.")
    try:
        return json.loads(header[HEADER_KEY])
    except json.JSONDecodeError as error:
        raise InputError(f"The header of {path} is not what fplbench writes: {error}.") from None


def load(path: str | os.PathLike, device: str = "cpu") -> tuple[Any, dict[str, Any]]:
    """Read a network from a weight file.

    Args:
        path: a .safetensors file that `save` wrote, or the .pth file published for DRUNet.
        device: where the network is to be ("cpu", "cuda").

    Returns:
        The network in evaluation mode, and the header's metadata.

    Raises:
        InputError: the file is missing or damaged, or its tensors are not exactly those of the network it names.
    """
    if Path(path).suffix == ".pth":
        return _load_published(Path(path), device)
    from safetensors.torch import load_file

    metadata = read_metadata(path)
    network = _build(metadata["architecture"], metadata["config"], path)
    _fill(network, load_file(path), path)
    return network.to(device).eval(), metadata


def _build(architecture: str, config: Mapping[str, Any], path) -> Any:
    known = architectures()
    if architecture not in known:
        raise InputError(f"{path} holds a network named {architecture!r}: {nearest(architecture, known)}")
    try:
        return network_class(architecture)(**config)
    except TypeError as error:
        raise InputError(f"{path} describes a {architecture} that this version cannot build: {error}.") from None


def _load_published(path: Path, device: str) -> tuple[Any, dict[str, Any]]:
    """DRUNet's published state dictionary: a torch file, read with nothing but tensors allowed in it."""
    import torch

    try:
        tensors = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise InputError(f"The weight file {path} does not exist; `fplbench fetch drunet` gets it.") from None
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError) as error:
        raise InputError(f"{path} cannot be read as a dictionary of tensors: {str(error).splitlines()[0]}") from None
    if not isinstance(tensors, Mapping) or not all(isinstance(tensor, torch.Tensor) for tensor in tensors.values()):
        raise InputError(f"{path} does not hold a dictionary of tensors, as DRUNet's published file does.")
    network = network_class("drunet")()
    _fill(network, tensors, path)
    metadata = {"architecture": "drunet", "config": network.config, "source": "published"}
    return network.to(device).eval(), metadata


def _fill(network, tensors: Mapping, path) -> None:
    """Copy tensors into the network; names and shapes must be exactly the network's."""
    expected = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if expected != found:
        raise InputError(f"{path} does not hold {type(network).__name__}: {_difference(expected, found)}.")
    network.load_state_dict(tensors, strict=True)


def _difference(expected: dict[str, tuple], found: dict[str, tuple]) -> str:
    """The first tensor that is missing, unexpected, or of another shape, as a clause."""
    for name, shape in expected.items():
        if name not in found:
            return f"the tensor {name} is missing"
        if found[name] != shape:
            return f"the tensor {name} has shape {found[name]}, not {shape}"
    return f"the tensor {next(name for name in found if name not in expected)} is not one of its tensors"

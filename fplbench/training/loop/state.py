"""The state a killed training resumes from: weights, optimiser, step, and what they belong to."""

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from fplbench.errors import InputError
from fplbench.files import check_seal, replacing


def save_state(
    path: Path,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    progress: Mapping[str, float],
    identity: Mapping[str, str],
    best: Mapping[str, torch.Tensor] | None = None,
    loss: Mapping[str, torch.Tensor] | None = None,
) -> None:
    """Write a state in one piece.

    Args:
        path: the file, a safetensors archive.
        network, optimizer: what is trained, and the Adam that trains it.
        progress: numbers to resume with; `step` is the number of steps done.
        identity: what the state belongs to (config, data, version).
        best: weights that the training goes back to at its end, if it keeps them.
        loss: what the loss function remembers of earlier steps.
    """
    tensors = {f"network.{name}": tensor for name, tensor in network.state_dict().items()}
    for number, values in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{number}.{name}": tensor for name, tensor in values.items()}
    tensors |= {f"best.{name}": tensor for name, tensor in (best or {}).items()}
    tensors |= {f"loss.{name}": tensor for name, tensor in (loss or {}).items()}
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path, sealed=True) as temporary:
        save_file(tensors, temporary, {"progress": json.dumps(dict(progress)), "identity": json.dumps(dict(identity))})


def load_state(
    path: Path, network: nn.Module, optimizer: torch.optim.Optimizer, identity: Mapping[str, str]
) -> tuple[dict[str, float], dict[str, torch.Tensor], dict[str, torch.Tensor]] | None:
    """Load a state into network and optimizer.

    Returns:
        Its progress, its best weights, and what the loss function remembered; None where there is no state.

    Raises:
        InputError: the state is unreadable, or belongs to another config, data or version (named).
    """
    if not path.exists():
        return None
    try:
        check_seal(path)
    except ValueError:
        raise InputError(f"the training state {path} has changed since it was written: delete it to start again.") from None
    try:
        with safe_open(path, framework="pt") as archive:
            header = archive.metadata() or {}
            tensors = {name: archive.get_tensor(name) for name in archive.keys()}  # noqa: SIM118
        found, progress = json.loads(header["identity"]), json.loads(header["progress"])
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise InputError(f"the training state {path} is unreadable ({error}): delete it to start again.") from None
    other = [name for name in identity if found.get(name) != identity[name]]
    if other:
        raise InputError(
            f"the training state {path} was made with another {' and another '.join(other)}: delete it to start again."
        )
    network.load_state_dict(_part(tensors, "network."))
    _load_moments(optimizer, _part(tensors, "optimizer."), list(network.parameters()))
    return progress, _part(tensors, "best."), _part(tensors, "loss.")


def _part(tensors: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    """The tensors whose names begin with a prefix, without it."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _load_moments(optimizer: torch.optim.Optimizer, tensors: Mapping[str, torch.Tensor], parameters: list[nn.Parameter]) -> None:
    moments: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in tensors.items():
        number, key = name.split(".", 1)
        parameter = parameters[int(number)]
        if tensor.shape == parameter.shape:
            # The fused Adam walks through memory: its moments must lie there as the parameter does.
            tensor = torch.empty_like(parameter, requires_grad=False).copy_(tensor)
        moments.setdefault(int(number), {})[key] = tensor
    optimizer.load_state_dict({"state": moments, "param_groups": optimizer.state_dict()["param_groups"]})

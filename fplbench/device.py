"""The one place that chooses where networks run, and in which precision."""

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Literal

from fplbench.errors import InputError

if TYPE_CHECKING:
    import torch

Device = Literal["auto", "cpu", "cuda"]


def choose_device(name: str = "auto") -> "torch.device":
    """CUDA where there is one for `auto`, else the CPU; `cuda` without a usable GPU raises InputError.

    From here on the process counts numbers below 1e-38 as zero. The derivatives of a softplus are full of them, and on the
    CPU each costs as much as a hundred others.
    """
    import torch

    torch.set_flush_denormal(True)

    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError("device is cuda, but torch finds no usable GPU: use device auto or cpu.")
    if name not in ("cpu", "cuda"):
        raise InputError(f"device {name!r} is not known: it is auto, cpu or cuda.")
    return torch.device(name)


def mixed_precision(device: "torch.device") -> AbstractContextManager:
    """Autocast to bfloat16 on CUDA; float32 elsewhere."""
    import torch

    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=device.type == "cuda")

"""Where networks run, in which precision, and on how many images at once."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Literal, TypeVar

from fplbench.errors import InputError
from fplbench.gpu_lease import asked_share, lease_gpu
from fplbench.numerics import is_strict

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)

Device = Literal["auto", "cpu", "cuda"]
Result = TypeVar("Result")


def choose_device(name: str = "auto") -> "torch.device":
    """Choose the device on which networks run.

    As a side effect, the process treats numbers below 1e-38 as zero from now on. The derivatives of a softplus have many
    such numbers, and on the CPU each takes as long as a hundred others.

    Where processes share GPUs (see `fplbench.gpu_lease`), the process takes a lease first, unless it is to use the CPU, and
    sees that GPU alone from then on. Of its memory it can then have an equal part.

    Args:
        name: `cpu`, `cuda`, or `auto` for the GPU if there is one and the CPU otherwise.

    Raises:
        InputError: the name is unknown, or is `cuda` while torch finds no usable GPU; or no lease can be had.
    """
    import torch

    torch.set_flush_denormal(True)
    if name in ("auto", "cuda"):  # first: even is_available initialises CUDA, and what is visible is settled then
        lease = lease_gpu()
        share = asked_share() if lease else None
        if share and share > 1 and torch.cuda.is_available():
            torch.cuda.set_per_process_memory_fraction(1 / share)
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError("The device is cuda, but torch finds no usable GPU; use auto or cpu.")
    if name not in ("cpu", "cuda"):
        raise InputError(f"The device {name!r} is not known; it must be auto, cpu or cuda.")
    return torch.device(name)


def mixed_precision(device: "torch.device") -> AbstractContextManager:
    """Context that runs networks in bfloat16 where they allow it on a GPU; in float32 elsewhere, and where it is strict."""
    import torch

    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=device.type == "cuda" and not is_strict())


def in_memory(
    attempt: Callable[[int], Result], images: int, what: str, fewer: Callable[[int], int] = lambda images: images // 2
) -> tuple[Result, int]:
    """Do something with so many images at once; whenever memory runs out, do all of it again with fewer, and say so.

    Args:
        attempt: does it, with at most so many images at once.
        images: how many to begin with.
        what: what is done, for messages.
        fewer: from a number of images for which there was not enough memory, at least 2, to a smaller one.

    Returns:
        What `attempt` returns, and for how many images at once there was enough memory.

    Raises:
        InputError: there is not enough memory for a single image.
    """
    while True:
        try:
            return attempt(images), images
        except RuntimeError as error:
            if not _ran_out(error):
                raise
            if images == 1:
                raise InputError(
                    f"{what}: there is not enough memory for a single image. Use smaller images or crops, a smaller network, "
                    "or a device with more free memory."
                ) from None
        # Outside of the handler, as the error holds on to the tensors of the failed attempt.
        _free()
        log.warning("%s: out of memory with %d images at once; it goes on with %d.", what, images, fewer(images))
        images = fewer(images)


def _ran_out(error: RuntimeError) -> bool:
    """Whether memory ran out: that of the GPU, or that of the processor, for which torch has no error of its own."""
    import torch

    return isinstance(error, torch.OutOfMemoryError) or "DefaultCPUAllocator" in str(error)


def _free() -> None:
    """Give the memory back that torch keeps for later, so that larger pieces than before fit."""
    import gc

    import torch

    gc.collect()
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()

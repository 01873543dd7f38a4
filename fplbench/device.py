"""Where networks run, in which precision, and on how many images at once."""

import logging
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

from pydantic import Field, model_validator

from fplbench.errors import InputError
from fplbench.gpu_lease import asked_share, lease_gpu
from fplbench.options import Options

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)

Device = Literal["auto", "cpu", "cuda"]
Reproducible = Annotated[
    Literal["fast", "strict"],
    Field(
        description="fast: networks compute as fast as this processor can; strict: in one thread, in float32, with deterministic "
        "kernels and, on processors with AVX2, with algorithms that do not depend on the processor. A change trains again."
    ),
]
Result = TypeVar("Result")


class NumericsOptions(Options):
    """How torch computes. The CPU is deterministic whatever is set here."""

    deterministic: bool = Field(False, description="Only deterministic kernels on the GPU; slower.")
    tf32: bool = Field(False, description="Multiply float32 matrices on the GPU with the precision of TF32.")
    cudnn_benchmark: bool = Field(True, description="Let cuDNN choose the fastest kernel by trial; not with deterministic.")


class Computing(NumericsOptions):
    """How the networks of one job compute: the switches, and whether results are to be equal on other processors too."""

    strict: bool = Field(
        False,
        description="The same algorithms on every processor with AVX2, one thread, float32 and deterministic kernels; "
        "it sets deterministic, and cuDNN has no choice.",
    )

    @model_validator(mode="after")
    def _no_tf32(self) -> "Computing":
        if self.strict and self.tf32:
            raise ValueError("strict computes in float32, so tf32 cannot be true; leave out one of them")
        return self


STRICT = Computing(deterministic=True, cudnn_benchmark=False, strict=True)
"""How networks compute with `reproducible: strict`."""
# Instruction sets that processors since 2015 have. Each library would choose the newest one of the processor that it runs on, and
# add numbers in another order with it. The libraries read these when they compute for the first time.
SAME_ALGORITHMS = {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_CBWR": "COMPATIBLE"}


class _Process:
    """What use_numerics settled for this process."""

    strict = False


def use_numerics(options: NumericsOptions) -> None:
    """Set torch's switches for this process; before the first use of a GPU, if they are to be deterministic.

    Strict computing is settled when torch computes for the first time: call this before. A later call with other options takes
    one thread and float32 back, but not the algorithms.
    """
    _Process.strict = isinstance(options, Computing) and options.strict
    if _Process.strict:
        options = STRICT
        _fix_algorithms()
    _set_switches(options)


def torch_threads(threads: int) -> int:
    """The processor cores that torch may use of those that a job has: a sum depends on how many threads share it."""
    return 1 if _Process.strict else threads


def _fix_algorithms() -> None:
    """Let the libraries of the CPU use the same algorithms on every processor with AVX2; warn where that is not possible."""
    os.environ.update(SAME_ALGORITHMS)
    import torch

    torch.set_num_threads(1)
    if (found := torch.backends.cpu.get_cpu_capability()) != "AVX2":
        log.warning(
            "reproducible: strict fixes algorithms for processors with AVX2, but torch uses %s here: the results of networks are "
            "the same on processors like this one only.",
            found,
        )


def _set_switches(options: NumericsOptions) -> None:
    import torch

    if options.deterministic:
        # Without it, cuBLAS refuses to multiply matrices.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    if options.deterministic != torch.are_deterministic_algorithms_enabled():  # the call imports torch's compiler
        torch.use_deterministic_algorithms(options.deterministic)
    torch.backends.cudnn.deterministic = options.deterministic
    torch.backends.cudnn.benchmark = options.cudnn_benchmark and not options.deterministic
    torch.backends.cudnn.allow_tf32 = options.tf32
    torch.backends.cuda.matmul.allow_tf32 = options.tf32


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

    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=device.type == "cuda" and not _Process.strict)


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

"""How torch computes: precision, determinism, and compiled networks."""

import json
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from fplbench.errors import InputError
from fplbench.options import Options
from fplbench.user_cache import user_cache

if TYPE_CHECKING:
    from torch import nn

log = logging.getLogger(__name__)

Reproducible = Annotated[
    Literal["fast", "strict"],
    Field(
        description="fast: networks compute as fast as this processor can; strict: in one thread, in float32, with deterministic "
        "kernels and, on processors with AVX2, with algorithms that do not depend on the processor. A change trains again."
    ),
]


class NumericsOptions(Options):
    """How torch computes. The CPU is deterministic whatever is set here."""

    deterministic: bool = Field(False, description="Only deterministic kernels on the GPU; slower.")
    tf32: bool = Field(False, description="Multiply float32 matrices on the GPU with the precision of TF32.")
    cudnn_benchmark: bool = Field(True, description="Let cuDNN choose the fastest kernel by trial; not with deterministic.")
    compile: bool = Field(
        False,
        description="Compile the network that is trained with torch.compile, for the fixed shapes of its batches. It takes a "
        "minute or more where no training with these shapes was compiled before, and results differ in rounding. The explained "
        "network is never compiled, as the loss differentiates it twice.",
    )

    def as_json(self, trains: bool = False) -> str:
        """The options as jobs get them. Those that do not train do not compile, and a false `compile` is left out for all, so
        that jobs from before there was the option stay up to date.
        """
        return json.dumps(self.model_dump(mode="json", exclude=None if self.compile and trains else {"compile"}))


class Computing(NumericsOptions):
    """How the networks of one job compute: the switches, and whether results are to be equal on other processors too."""

    strict: bool = Field(
        False,
        description="The same algorithms on every processor with AVX2, one thread, float32 and deterministic kernels; "
        "it sets deterministic, and cuDNN has no choice.",
    )

    @model_validator(mode="after")
    def _no_shortcuts(self) -> "Computing":
        if self.strict and self.tf32:
            raise ValueError("strict computes in float32, so tf32 cannot be true; leave out one of them")
        if self.strict and self.compile:
            raise ValueError("strict uses the same kernels on every processor, so compile cannot be true; leave out one of them")
        return self


STRICT = Computing(deterministic=True, cudnn_benchmark=False, strict=True)
"""How networks compute with `reproducible: strict`."""
# Instruction sets that processors since 2015 have. Each library would choose the newest one of the processor that it runs on, and
# add numbers in another order with it. The libraries read these when they compute for the first time.
SAME_ALGORITHMS = {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_CBWR": "COMPATIBLE"}


class _Process:
    """What use_numerics settled for this process."""

    strict = False
    compiles = False
    changed: Mapping[str, bool] = MappingProxyType({})


def use_numerics(options: NumericsOptions) -> None:
    """Set torch's switches for this process; before the first use of a GPU, if they are to be deterministic.

    Strict computing is settled when torch computes for the first time: call this before. A later call with other options undoes
    the thread and the precision, but not the choice of algorithms.
    """
    _Process.strict = isinstance(options, Computing) and options.strict
    _Process.compiles = options.compile
    _Process.changed = options.model_dump(exclude_defaults=True)
    if _Process.strict:
        options = STRICT
        _fix_algorithms()
    _set_switches(options)


def compile_if_asked(network: "nn.Module") -> None:
    """Let a network that is trained compute with compiled kernels from its next step on, if `use_numerics` was told so.

    Its weights and their names stay what they are. Every other shape of a batch compiles again.
    """
    if _Process.compiles:
        # Kernels are programs, and torch would keep them in a folder of a known name in that for temporary files, for all users.
        with suppress(RuntimeError):  # the user has no home
            os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(user_cache() / "torchinductor"))
        import torch._functorch.config as autograd
        import torch._inductor.config as compiler

        # The norms of gradients are measured before the step differentiates again, so what it needs must stay in memory.
        autograd.donated_buffer = False
        compiler.compile_threads = 1  # a job has the cores that it asked for
        network.compile(dynamic=False)
        if type(network).forward.__module__.startswith("torch."):  # an nn.Sequential
            log.warning("torch.compile skips the modules of torch: the network needs a `forward` of its own to be compiled.")


def eager() -> AbstractContextManager:
    """Context in which compiled networks compute without their kernels, where compiling would take longer than the work."""
    if not _Process.compiles:
        return nullcontext()
    import torch

    return torch.compiler.set_stance("force_eager")


@contextmanager
def compiling(name: str) -> Iterator[None]:
    """Context in which a network that cannot be compiled is an InputError; `name` is what is trained, for the message."""
    if not _Process.compiles:
        yield
        return
    from torch._dynamo.exc import TorchDynamoException

    try:
        yield
    except TorchDynamoException as error:
        log.info("%s", error)
        lines = [line for line in str(error).splitlines() if line.strip() and not line.startswith("backend=")]
        why = lines[0].removesuffix(".") if lines else type(error).__name__
        raise InputError(
            f"{name}: torch.compile failed: {why}. Check that a C++ compiler works (CXX names another than g++), and Triton on a "
            "GPU, or leave out numerics.compile."
        ) from None


def changed_numerics() -> dict[str, bool]:
    """What `use_numerics` was told beside the defaults: results depend on it."""
    return dict(_Process.changed)


def is_strict() -> bool:
    """Whether this process computes strictly."""
    return _Process.strict


def torch_threads(threads: int) -> int:
    """The processor cores that torch may use of those that a job has: a sum depends on how many threads share it."""
    return 1 if _Process.strict else threads


def use_threads(threads: int) -> None:
    """Let torch use so many of the processor cores that a job has: see `torch_threads`."""
    import torch

    torch.set_num_threads(torch_threads(threads))


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

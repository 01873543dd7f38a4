"""Seconds and peak memory of a part of this process."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CLEAR_REFS = Path("/proc/self/clear_refs")
STATUS = Path("/proc/self/status")
RESET_PEAK = "5"  # proc(5): sets the peak resident set size to the current one


@dataclass
class Cost:
    """What denoising a stack cost.

    Attributes:
        images: number of images.
        seconds: wall time.
        peak_memory_mb: peak resident memory of the process in MiB while the method ran, libraries and mapped files
            included; on a GPU the peak of the memory that torch took there. None where it cannot be measured.
        device: cpu, or the name of the GPU.
    """

    images: int
    seconds: float = 0.0
    peak_memory_mb: float | None = None
    device: str = "cpu"


def place(gpu: bool, device: str) -> str:
    """Where a method runs: cpu, or the name of the GPU."""
    if not gpu:
        return "cpu"
    import torch

    from fplbench.device import choose_device

    target = choose_device(device)
    return torch.cuda.get_device_name(target) if target.type == "cuda" else "cpu"


@contextmanager
def measure(images: int, device: str = "cpu") -> Iterator[Cost]:
    """Context that yields a `Cost`, filled in when the block ends."""
    cost = Cost(images, device=device)
    if device == "cpu":
        known = _reset_peak()
    else:
        import torch

        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
    began = time.perf_counter()
    yield cost
    if device != "cpu":
        torch.cuda.synchronize()
    cost.seconds = time.perf_counter() - began
    if device != "cpu":
        cost.peak_memory_mb = round(torch.cuda.max_memory_allocated() / 2**20, 1)
    elif known:
        cost.peak_memory_mb = round(_peak_mb(), 1)


def _reset_peak() -> bool:
    """Let the kernel forget the peak so far; whether it did."""
    if sys.platform != "linux":
        return False
    try:
        CLEAR_REFS.write_text(RESET_PEAK)
    except OSError:
        return False
    return True


def _peak_mb() -> float:
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024

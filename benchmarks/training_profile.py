"""Where the time of a training step goes, with the feature preserving loss and without, by kind of operation.

    python -m benchmarks.training_profile [--width 16] [--side 96] [--batch 4] [--repeats 5] [--device auto]

Prints medians over steps that torch's profiler watches, both kinds in turns: milliseconds of the processor, or of the GPU on one.
`factor` is the time with the loss over that without. `beyond 7/3` is what a kind adds to the ratio of the whole steps above the
7/3 of convolutions alone (see `benchmarks/training.py`): its time with the loss, minus 7/3 of that without, over the time of a
whole step without. The profiler itself takes time with each of many small operations, so that the ratio of whole steps differs a
little from that of `benchmarks/training.py`. On a processor it also prints the page faults of steps that are not watched, and the
time that the kernel took with them and all else: memory that was given back to it after a step is fetched anew by the next.
"""

import argparse
import statistics
from collections import Counter
from collections.abc import Callable
from functools import partial

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.training import options_of, prepared, step_seconds

KINDS = {
    "convolution, derivatives": ("convolution_backward", "conv2d_backward"),
    "convolution": ("mkldnn_convolution", "cudnn_convolution", "conv2d_forward", "convolution_overrideable"),
    "batch norm": ("batch_norm",),
    "softplus": ("softplus", "sigmoid", "addcmul", "mul"),
    "ReLU and gate": ("clamp_min", "threshold_backward", "relu"),
    "pooling": ("max_pool2d",),
    "upsampling": ("upsample",),
    "copies, zeros, concatenation": ("copy_", "fill_", "zero_", "::cat"),
    "additions": ("::add",),
    "optimiser": ("adam", "optimizer"),
}
"""Kinds, and parts of the names of their operations; the first that fits counts. `mul` is nearly all of the softplus."""
REST = "rest"
WITHOUT, WITH = "without", "difference"


def kind_of(operation: str) -> str:
    name = operation.lower()
    return next((kind for kind, parts in KINDS.items() if any(part in name for part in parts)), REST)


def profiled(step: Callable[[], float], device: torch.device) -> Counter[str]:
    """Milliseconds of one step by kind."""
    on_gpu = device.type == "cuda"
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if on_gpu else [])]
    with profile(activities=activities) as watched:
        step()
    found: Counter[str] = Counter()
    for event in watched.key_averages():
        # On a GPU, kernels have events of their own beside those of the operations that start them.
        if on_gpu and event.device_type != torch.autograd.DeviceType.CPU:
            continue
        found[kind_of(event.key)] += (event.self_device_time_total if on_gpu else event.self_cpu_time_total) / 1000
    return found


def faults(step: Callable[[], float]) -> tuple[float, float]:
    """Page faults of one step, and milliseconds that the kernel took."""
    import resource

    before = resource.getrusage(resource.RUSAGE_SELF)
    step()
    after = resource.getrusage(resource.RUSAGE_SELF)
    return after.ru_minflt - before.ru_minflt, 1000 * (after.ru_stime - before.ru_stime)


def show(arguments: argparse.Namespace, device: torch.device, times: dict[str, dict[str, float]]) -> None:
    plain, features = times[WITHOUT], times[WITH]
    whole = sum(plain.values())
    print(f"{device}, width {arguments.width}, {arguments.batch} images of {arguments.side}x{arguments.side}")
    print(f"{'kind':<30}{'without, ms':>12}{'with, ms':>12}{'factor':>8}{'beyond 7/3':>12}")
    convolutions = [kind for kind in KINDS if kind.startswith("convolution")]
    for name, kinds in [*((kind, [kind]) for kind in [*KINDS, REST]), ("all convolutions", convolutions), ("all", list(plain))]:
        one, other = (sum(found[kind] for kind in kinds) for found in (plain, features))
        factor = f"{other / one:.2f}" if one else "-"
        print(f"{name:<30}{one:>12.1f}{other:>12.1f}{factor:>8}{(other - 7 / 3 * one) / whole:>+12.3f}")


def main() -> None:
    arguments = options_of(__doc__.splitlines()[0], repeats=5).parse_args()
    losses, optimizer, positions = prepared(arguments)
    device = positions.device
    steps = {use: partial(step_seconds, losses[use], optimizer, positions) for use in (WITHOUT, WITH)}
    fetched: dict[str, list[tuple[float, float]]] = {use: [] for use in steps}
    watched: dict[str, list[Counter[str]]] = {use: [] for use in steps}
    # The first two of each warm up. Page faults come first, because the profiler leaves the memory in another state.
    for _ in range(0 if device.type == "cuda" else arguments.repeats + 2):
        for use, step in steps.items():
            fetched[use].append(faults(step))
    for _ in range(arguments.repeats + 2):
        for use, step in steps.items():
            watched[use].append(profiled(step, device))
    medians = {
        use: {kind: statistics.median(found[kind] for found in several[2:]) for kind in [*KINDS, REST]}
        for use, several in watched.items()
    }
    show(arguments, device, medians)
    for use, several in fetched.items():
        if several:
            pages, kernel = (statistics.median(values) for values in zip(*several[2:], strict=True))
            print(f"{use}: {pages:.0f} page faults, {kernel:.1f} ms in the kernel")


if __name__ == "__main__":
    main()

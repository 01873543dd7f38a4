"""What the results of networks owe to the processor: one short training under other instruction sets, as fast and as strict.

    python benchmarks/instruction_sets.py [--steps 200] [--rounds 2] [--emulate Haswell EPYC]

Each row is a process of its own that trains the demo's restoration network and an FPL denoiser for a few steps on made-up images,
explains the clean images, and denoises others. Environment variables keep torch, oneDNN, MKL and the C library from instructions
that this processor has, as if it were an older one. `reproducible: strict` sets three of them itself, so that they are no
processor there: its rows limit the libraries by other variables. Printed are the largest difference from the first row of each
part of weights and of denoised images, and the time as a multiple of that of the first row.

The last part tries, with `fast`, single pins that strict might consist of. With `--emulate`, four steps of a U-Net alone are
computed on processors that qemu emulates too, with their names and caches, and the hash of the weights is printed
(`apt-get install qemu-user`; two minutes for each hash).
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from fplbench.noise import synthesize_stack
from fplbench.numerics import SAME_ALGORITHMS
from fplbench.stacks import write_stack

WORKER = """
import json, sys, time
from pathlib import Path
from fplbench.numerics import Computing, use_numerics, torch_threads
folder, out, threads, strict, steps, onednn = Path(sys.argv[1]), Path(sys.argv[2]), *map(int, sys.argv[3:])
use_numerics(Computing(strict=bool(strict)))
import torch
torch.set_num_threads(torch_threads(threads))
torch.backends.mkldnn.enabled = bool(onednn)
from fplbench.explaining.maps import write_features
from fplbench.methods import denoise_file
from fplbench.training import train
shared = {"width": 8, "steps": steps, "batch": 2, "warm_up": steps // 4, "log_every": steps}
fpl = {**shared, "learning_rate": 1.2e-2, "draws": 1, "flips": False, "feature_interval": 5, "feature_weight": 1e-4}
clean, noisy, network, maps = folder / "clean.npy", folder / "noisy.npy", out / "restoration.safetensors", out / "maps.npy"
start = time.perf_counter()
train("restoration", {"clean": clean}, network, {**shared, "learning_rate": 1e-2, "warn_below": 0}, seed=1, device="cpu")
write_features(network, clean, maps, device="cpu", readout="sum", activation="softplus", beta=100.0)
inputs = {"clean": clean, "noisy": noisy, "explained": network, "features": maps}
train("fpl", inputs, out / "fpl.safetensors", fpl, seed=1, device="cpu")
place = {"weights": str(out / "fpl.safetensors"), "device": "cpu"}
denoise_file("fpl", noisy, out / "denoised.npy", place, threads)
print(json.dumps(time.perf_counter() - start))
"""
# Little is imported, as an emulated processor is slow.
UNET = """
import hashlib, sys
import torch
from fplbench.networks.unet import UNet
from fplbench.training.loop.adam import Adam
torch.set_num_threads(1)
torch.manual_seed(0)
network = UNet(8).to(memory_format=torch.channels_last)
images, target = torch.rand(2, 1, 64, 64).contiguous(memory_format=torch.channels_last), torch.rand(2, 1, 64, 64)
optimizer = Adam(network.parameters(), 1e-2, fused=True)
for _ in range(4):
    optimizer.zero_grad()
    ((network(images) - target) ** 2).mean().backward()
    optimizer.step()
print(hashlib.sha256(b"".join(value.numpy().tobytes() for value in network.state_dict().values())).hexdigest()[:16])
"""
LIBC = {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX2,-AVX2_Usable,-FMA,-FMA_Usable,-FMA4_Usable"}
# Variables, threads, and whether torch uses oneDNN.
FAST = {
    "as it is": ({}, 1, True),
    "two threads": ({}, 2, True),
    "torch avx512": ({"ATEN_CPU_CAPABILITY": "avx512"}, 1, True),
    "torch avx2": ({"ATEN_CPU_CAPABILITY": "avx2"}, 1, True),
    "torch default": ({"ATEN_CPU_CAPABILITY": "default"}, 1, True),
    "oneDNN AVX512_CORE": ({"ONEDNN_MAX_CPU_ISA": "AVX512_CORE"}, 1, True),
    "oneDNN AVX2": ({"ONEDNN_MAX_CPU_ISA": "AVX2"}, 1, True),
    "oneDNN SSE41": ({"ONEDNN_MAX_CPU_ISA": "SSE41"}, 1, True),
    "MKL AVX2": ({"MKL_CBWR": "AVX2"}, 1, True),
    "MKL COMPATIBLE": ({"MKL_CBWR": "COMPATIBLE"}, 1, True),
    "C library without AVX2": (LIBC, 1, True),
    "without oneDNN": ({}, 1, False),
}
STRICT = {
    "as it is": ({}, 1, True),
    "two threads": ({}, 2, True),
    "torch default": ({"ATEN_CPU_CAPABILITY": "default"}, 1, True),
    "oneDNN SSE41": ({"ONEDNN_MAX_CPU_ISA": "SSE41"}, 1, True),
    "MKL without AVX512": ({"MKL_ENABLE_INSTRUCTIONS": "AVX2"}, 1, True),
    "C library without AVX2": (LIBC, 1, True),
}
# Without oneDNN, convolutions are MKL's products of matrices; MKL_CBWR is to make them the same everywhere.
PINS = {
    "MKL COMPATIBLE": ({"MKL_CBWR": "COMPATIBLE"}, 1, False),
    "MKL COMPATIBLE without AVX2": ({"MKL_CBWR": "COMPATIBLE", "MKL_ENABLE_INSTRUCTIONS": "SSE4_2"}, 1, False),
    "MKL AVX2": ({"MKL_CBWR": "AVX2"}, 1, False),
    "MKL AVX2 without AVX512": ({"MKL_CBWR": "AVX2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"}, 1, False),
}
SIDE, IMAGES = 96, 8


def made_up(folder: Path) -> np.ndarray:
    """Write a clean and a noisy stack of overlapping squares; returns the clean one."""
    random = np.random.default_rng(0)
    images = np.full((IMAGES, SIDE, SIDE), 60, np.uint8)
    for image in images:
        for _ in range(12):
            top, left, height, width = random.integers(0, SIDE // 2, 4)
            image[top : top + height, left : left + width] = random.integers(30, 225)
    index = [{"image_id": i, "patient": i, "source": "made up", "slice": i} for i in range(IMAGES)]
    write_stack(folder / "clean.npy", images, index)
    synthesize_stack("gaussian", folder / "clean.npy", folder / "noisy.npy", {"sigma": 0.1}, seed=0)
    return images


def run(folder: Path, out: Path, variables: dict, threads: int, onednn: bool, strict: bool, steps: int) -> float:
    """Train, explain and denoise in a process of its own; its seconds."""
    out.mkdir(exist_ok=True)
    return json.loads(python(WORKER, variables, [folder, out, threads, int(strict), steps, int(onednn)]))


def python(script: str, variables: dict, arguments: list, processor: str = "") -> str:
    """The last line that a script prints, on this processor or on one that qemu emulates."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("ATEN_", "ONEDNN_", "MKL_", "OMP_"))}
    # An emulated interpreter finds neither the package nor the environment on its own.
    environment |= {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), *sys.path[1:]])}
    program = ["qemu-x86_64", "-cpu", processor, os.path.realpath(sys.executable)] if processor else [sys.executable]
    command = [*program, "-c", script, *map(str, arguments)]
    result = subprocess.run(command, env=environment | variables, capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"A run failed:\n{result.stderr[-2000:]}")
    return result.stdout.splitlines()[-1]


def emulate(processors: list[str]) -> None:
    """Print the hashes of the weights after four steps of a U-Net."""
    print("\n| processor | fast | strict |\n| --- | --- | --- |")
    for processor in ["", *processors]:
        hashes = [python(UNET, variables, [], processor) for variables in ({}, SAME_ALGORITHMS)]
        print(f"| {processor or 'this one'} | {' | '.join(hashes)} |", flush=True)


def results(out: Path) -> tuple[dict, dict, np.ndarray]:
    return load_file(out / "restoration.safetensors"), load_file(out / "fpl.safetensors"), np.load(out / "denoised.npy")


def psnr(denoised: np.ndarray, clean: np.ndarray) -> float:
    return float(np.mean([10 * np.log10(255**2 / np.mean(error**2)) for error in denoised.astype(float) - clean]))


def row(name: str, found: tuple, first: tuple, clean: np.ndarray, ratio: float) -> str:
    """The differences from the first row of the part."""
    weights = [max(np.abs(a[key].astype(float) - b[key]).max() for key in a) for a, b in zip(found[:2], first[:2], strict=True)]
    grey = np.abs(found[2].astype(int) - first[2]).max()
    decibels = psnr(found[2], clean) - psnr(first[2], clean)
    same = "yes" if not any(weights) and not grey else "no"
    return f"| {name} | {same} | {weights[0]:.1e} | {weights[1]:.1e} | {grey} | {decibels:+.3f} | {ratio:.2f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=2, help="Repetitions; the least time counts.")
    parser.add_argument("--emulate", nargs="*", default=[], help="Processors that qemu emulates.")
    given = parser.parse_args()
    parts = {"fast": FAST, "strict": STRICT, "without oneDNN": PINS}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clean = made_up(folder)
        settings = [(part, label, *setting) for part, rows in parts.items() for label, setting in rows.items()]
        seconds: dict[tuple[str, str], list[float]] = {}
        for _ in range(given.rounds):  # rows in turns, so that a slow phase of the machine hits all alike
            for part, label, *setting in settings:
                taken = run(folder, folder / f"{part}-{label}", *setting, part == "strict", given.steps)
                seconds.setdefault((part, label), []).append(taken)
        reference = min(seconds["fast", "as it is"])
        for part, rows in parts.items():
            print(f"\n| {part} | same bits | restoration | FPL | grey levels | dB | time |\n|{' --- |' * 7}")
            first = results(folder / f"{part}-{next(iter(rows))}")
            print(f"| *PSNR of the first row: {psnr(first[2], clean):.2f} dB* |" + " |" * 6)
            for label in rows:
                found = results(folder / f"{part}-{label}")
                print(row(label, found, first, clean, min(seconds[part, label]) / reference))
    if given.emulate:
        emulate(given.emulate)


if __name__ == "__main__":
    main()

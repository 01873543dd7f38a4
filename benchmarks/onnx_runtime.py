"""Seconds that onnxruntime and torch take for an image on the CPU, with the same number of threads.

    python benchmarks/onnx_runtime.py [--threads 2] [--size 512] [--widths 16 64] [--rounds 9]

Both denoise the same image with the same U-Net in turns, so that a slow phase of the machine hits both alike; the medians are
compared. The limit is a ratio of 1: the ONNX runtime is not slower. torch runs as `fplbench apply` runs it, in the memory layout
channels_last.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from fplbench.applying.models.denoisers import open_denoiser
from fplbench.applying.models.onnx_export import OnnxDenoiser, export_onnx
from fplbench.networks import UNet, weights


def write_weights(path, width):
    """A U-Net with random weights, which take as long as trained ones."""
    torch.manual_seed(1)
    weights.save(UNet(width).eval(), path, {"output": "noise"})


def in_turns(functions, image, rounds):
    """Median seconds of each function; the first round does not count."""
    found = {name: [] for name in functions}
    for _ in range(1 + rounds):
        for name, function in functions.items():
            start = time.perf_counter()
            function(image)
            found[name].append(time.perf_counter() - start)
    return {name: statistics.median(seconds[1:]) for name, seconds in found.items()}


def main():
    """Print a row for each width."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--widths", type=int, nargs="+", default=[16, 64])
    parser.add_argument("--rounds", type=int, default=9)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    image = np.random.default_rng(0).random((given.size, given.size), dtype=np.float32)
    for width in given.widths:
        with tempfile.TemporaryDirectory() as folder:
            file, model = Path(folder, "weights.safetensors"), Path(folder, "model.onnx")
            write_weights(file, width)
            export_onnx(file, model)
            place = {"device": "cpu", "threads": given.threads, "tile": given.size}
            functions = {"torch": open_denoiser(str(file), {}, **place), "onnx": OnnxDenoiser(model, given.threads)}
            difference = np.abs(functions["torch"](image) - functions["onnx"](image)).max()
            seconds = in_turns(functions, image, given.rounds)
        ratio = seconds["onnx"] / seconds["torch"]
        print(
            f"width {width:>3}, {given.size}x{given.size}, {given.threads} threads: torch {seconds['torch']:.3f} s, "
            f"onnxruntime {seconds['onnx']:.3f} s, ratio {ratio:.2f}, largest difference {difference:.1e}"
        )


if __name__ == "__main__":
    main()

"""Time of `fplbench apply` on a CT, compared with that of its network alone on the same threads.

    python benchmarks/apply.py data/sample/lidc [--threads 2] [--width 16] [--rounds 3]

The command is timed from its start to its end: imports, reading, network, statistics, writing, the quality page and the hashes
of the originals. The network alone denoises as many slices of the same size, in a process of its own, after a first one that does
not count. Both take turns, so that a slow phase of the machine hits both alike; the medians are compared. The limit is 1.3.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from fplbench.networks import UNet, weights

ALONE = """
import sys, time
import numpy as np
from fplbench.applying.models import open_denoiser
file, slices, rows, columns, threads = sys.argv[1], *map(int, sys.argv[2:])
denoiser = open_denoiser(file, {}, threads=threads)
image = np.random.default_rng(0).random((rows, columns), dtype=np.float32)
denoiser(image)
start = time.perf_counter()
for _ in range(slices):
    denoiser(image)
print(time.perf_counter() - start)
"""


def apply(file, source, out, threads):
    """Seconds of the command, and what it says of the scan."""
    command = [sys.executable, "-c", "from fplbench.cli import main; main()", "apply", file, source, out]
    start = time.perf_counter()
    subprocess.run([*map(str, command), "--window", "-1000", "400", "--threads", str(threads)], check=True, capture_output=True)
    seconds = time.perf_counter() - start
    return seconds, json.loads((out / "apply.json").read_text())["scans"][0]


def alone(file, scan, threads):
    """Seconds of the network for the slices of a scan."""
    numbers = [scan["slices"], scan["rows"], scan["columns"], threads]
    run = subprocess.run([sys.executable, "-c", ALONE, file, *map(str, numbers)], check=True, capture_output=True, text=True)
    return float(run.stdout)


def main():
    """Print the medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="Folder of a CT series.")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    os.environ.pop("OMP_NUM_THREADS", None)
    commands, networks = [], []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "weights.safetensors")
        torch.manual_seed(1)
        weights.save(UNet(given.width).eval(), file, {"output": "noise"})  # random weights take as long as trained ones
        for number in range(given.rounds):
            seconds, scan = apply(file, given.source, Path(folder, f"out-{number}"), given.threads)
            commands.append(seconds)
            networks.append(alone(file, scan, given.threads))
            print(f"round {number + 1}: command {commands[-1]:.1f} s, network {networks[-1]:.1f} s")
    ratio = statistics.median(commands) / statistics.median(networks)
    print(
        f"{scan['slices']} slices of {scan['rows']}x{scan['columns']}, width {given.width}, {given.threads} threads: command "
        f"{statistics.median(commands):.1f} s, network {statistics.median(networks):.1f} s, ratio {ratio:.2f}"
    )


if __name__ == "__main__":
    main()

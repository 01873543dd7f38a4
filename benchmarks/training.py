"""Cost of the feature preserving loss: a training step with it against one without, in one process, alternating.

    python benchmarks/training.py [--width 16] [--side 96] [--batch 4] [--repeats 15] [--device auto]

Prints the medians and their ratio. By operation count the ratio is 2.67 (forward 1, backward 2, explanation 2 and its double
backward 3, against 3). The explained network is trained first, because the values in a random network differ from those in a
trained one.
"""

import argparse
import statistics
import time

import torch

from fplbench.device import choose_device
from fplbench.networks import UNet
from fplbench.training.denoiser import DenoiserLoss
from fplbench.training.explained import Explained
from fplbench.training.fpl import FplOptions, new_denoiser
from fplbench.training.loop.adam import Adam
from fplbench.training.loop.meter import total_loss
from fplbench.training.loop.tensors import seeded
from fplbench.explaining.options import ExplanationOptions
from fplbench.training.restoration import RestorationLoss


def trained_restoration(width: int, clean: torch.Tensor, steps: int = 100) -> UNet:
    network = seeded(lambda: UNet(width), 2, clean.device).train()
    loss = RestorationLoss(network, clean)
    optimizer = Adam(network.parameters(), 4e-3, fused=True)
    for _ in range(steps):
        step_seconds(loss, optimizer, torch.arange(len(clean), device=clean.device))
    return network.eval()


def blurred_noise(shape: tuple[int, ...], random: torch.Generator) -> torch.Tensor:
    """Images with structure, uint8 (N, H, W)."""
    images = torch.nn.functional.avg_pool2d(torch.randn(shape, generator=random), 9, stride=1, padding=4)
    return (images / images.abs().max() * 127.5 + 127.5).to(torch.uint8)


def step_seconds(loss: DenoiserLoss | RestorationLoss, optimizer: torch.optim.Optimizer, positions: torch.Tensor) -> float:
    synchronise(positions.device)
    start = time.perf_counter()
    optimizer.zero_grad()
    total_loss(loss(positions, 0)).backward()
    optimizer.step()
    synchronise(positions.device)
    return time.perf_counter() - start


def synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in [("width", 16), ("side", 96), ("batch", 4), ("repeats", 15), ("threads", 1)]:
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    device = choose_device(arguments.device)
    random = torch.Generator().manual_seed(0)
    shape = (arguments.batch, arguments.side, arguments.side)
    clean = blurred_noise(shape, random).to(device)
    noisy = torch.randint(0, 256, shape, dtype=torch.uint8, generator=random).to(device)
    network = new_denoiser(arguments.width, 1, device).train()
    restoration = trained_restoration(arguments.width, clean)
    options = FplOptions(width=arguments.width)
    explained = Explained(restoration, torch.zeros(shape, device=device), ExplanationOptions().model_dump())
    losses = {
        "without": DenoiserLoss(network, "noise", clean, noisy, options),
        "with": DenoiserLoss(network, "noise", clean, noisy, options, explained=explained),
    }
    optimizer = Adam(network.parameters(), 1e-4, fused=True)
    seconds: dict[str, list[float]] = {name: [] for name in losses}
    positions = torch.arange(arguments.batch, device=device)
    for repeat in range(arguments.repeats + 2):
        for name, loss in losses.items():
            taken = step_seconds(loss, optimizer, positions)
            if repeat >= 2:  # the first two warm up
                seconds[name].append(taken)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    print(f"{device}, width {arguments.width}, {arguments.batch} images of {arguments.side}x{arguments.side}")
    for name, median in medians.items():
        print(f"step {name} L_FP: median {1000 * median:.1f} ms of {arguments.repeats}")
    print(f"ratio of the medians: {medians['with'] / medians['without']:.2f}")


if __name__ == "__main__":
    main()

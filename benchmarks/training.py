"""Cost of the feature preserving loss: a training step with it against one without, in one process, alternating.

    python benchmarks/training.py [--width 16] [--side 96] [--batch 4] [--repeats 15] [--device auto]

Prints the medians and their ratio. By operation count the ratio is 2.67 (forward 1, backward 2, explanation 2, and its
double backward 3, against 3).
"""

import argparse
import statistics
import time

import torch

from fplbench.device import choose_device
from fplbench.networks import UNet
from fplbench.training.adam import Adam
from fplbench.training.networks import DenoiserLoss, new_denoiser, seeded
from fplbench.training.options import DenoiserOptions, ExplanationOptions


def step_seconds(loss: DenoiserLoss, optimizer: torch.optim.Optimizer, positions: torch.Tensor) -> float:
    synchronise(positions.device)
    start = time.perf_counter()
    optimizer.zero_grad()
    sum(weight * value for value, weight in loss(positions, 0).values()).backward()
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
    clean, noisy = (torch.randint(0, 256, shape, dtype=torch.uint8, generator=random).to(device) for _ in range(2))
    network = new_denoiser(arguments.width, 1, device).train()
    restoration = seeded(lambda: UNet(arguments.width), 2, device).eval()
    options = DenoiserOptions(width=arguments.width)
    maps = torch.zeros(shape, device=device)
    losses = {
        "without": DenoiserLoss(network, clean, noisy, options),
        "with": DenoiserLoss(network, clean, noisy, options, restoration, maps, ExplanationOptions()),
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

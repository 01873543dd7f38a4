"""Cost of features in the loss: a training step with each of their uses against one without, in one process, alternating.

    python benchmarks/training.py [--width 16] [--side 96] [--batch 4] [--repeats 15] [--device auto]

`difference` is the feature preserving loss with a fixed weight, `balance` with one that holds the ratio of the gradients, and
`weight` the residual loss whose pixels are weighted. Prints the medians, and the medians of the ratios to the step without
features that came just before. By operation count the ratio of `difference` is 7/3 = 2.33: four passes of convolutions through
the explained network (forward, its gradient, and two for the derivative of that) beside three through the denoiser. The
explained network is trained first, because the values in a random network differ from those in a trained one.
"""

import argparse
import statistics
import time

import torch

from fplbench.device import choose_device
from fplbench.explaining.options import ExplanationOptions
from fplbench.explaining.registry import explain
from fplbench.networks import UNet
from fplbench.training.denoiser import DenoiserLoss
from fplbench.training.explained import Explained
from fplbench.training.fpl import FplOptions, new_denoiser
from fplbench.training.loop.adam import Adam
from fplbench.training.loop.meter import total_loss
from fplbench.training.loop.pixel_weights import pixel_weights
from fplbench.training.loop.tensors import seeded
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


def losses_of(network: UNet, clean: torch.Tensor, noisy: torch.Tensor, restoration: UNet, width: int) -> dict[str, DenoiserLoss]:
    """The losses by the use that they make of features."""
    explanation = ExplanationOptions()
    maps = explain(restoration, clean.unsqueeze(1).float() / 255, explanation)[:, 0]
    explained = Explained(restoration, maps, explanation.model_dump())
    options = FplOptions(width=width, batch=len(clean))
    weighting = options.model_copy(update={"feature_use": "weight"})
    height, side = clean.shape[1:]
    weights = pixel_weights(maps.cpu().numpy(), (height, side), options.feature_strength, options.feature_quantile, clean.device)
    balancing = options.model_copy(update={"balance": 0.5})
    return {
        "without": DenoiserLoss(network, "noise", clean, noisy, options),
        "difference": DenoiserLoss(network, "noise", clean, noisy, options, explained=explained),
        "balance": DenoiserLoss(network, "noise", clean, noisy, balancing, explained=explained),
        "weight": DenoiserLoss(network, "noise", clean, noisy, weighting, weights=weights),
    }


def options_of(description: str, repeats: int) -> argparse.ArgumentParser:
    """The command line options that say which steps are measured."""
    parser = argparse.ArgumentParser(description=description)
    for name, default in [("width", 16), ("side", 96), ("batch", 4), ("repeats", repeats), ("threads", 1)]:
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--device", default="auto")
    return parser


def prepared(arguments: argparse.Namespace) -> tuple[dict[str, DenoiserLoss], Adam, torch.Tensor]:
    """The losses by their use of features, the optimiser of the denoiser that they share, and the positions of a batch."""
    torch.set_num_threads(arguments.threads)
    device = choose_device(arguments.device)
    random = torch.Generator().manual_seed(0)
    shape = (arguments.batch, arguments.side, arguments.side)
    clean = blurred_noise(shape, random).to(device)
    noisy = torch.randint(0, 256, shape, dtype=torch.uint8, generator=random).to(device)
    network = new_denoiser(arguments.width, 1, device).train()
    losses = losses_of(network, clean, noisy, trained_restoration(arguments.width, clean), arguments.width)
    return losses, Adam(network.parameters(), 1e-4, fused=True), torch.arange(arguments.batch, device=device)


def main() -> None:
    parser = options_of(__doc__.splitlines()[0], repeats=15)
    parser.add_argument("--uses", default="difference,balance,weight", help="Uses to measure, with commas between them.")
    arguments = parser.parse_args()
    losses, optimizer, positions = prepared(arguments)
    uses = arguments.uses.split(",")
    seconds: dict[str, list[float]] = {name: [] for name in uses}
    plain: dict[str, list[float]] = {name: [] for name in uses}
    for repeat in range(arguments.repeats + 2):
        for use in uses:
            turns = step_seconds(losses["without"], optimizer, positions), step_seconds(losses[use], optimizer, positions)
            if repeat >= 2:  # the first two warm up
                plain[use].append(turns[0])
                seconds[use].append(turns[1])
    print(f"{positions.device}, width {arguments.width}, {arguments.batch} images of {arguments.side}x{arguments.side}")
    together = [taken for values in plain.values() for taken in values]
    print(f"without: median {1000 * statistics.median(together):.1f} ms of {len(together)}")
    for use in uses:
        ratio = statistics.median(taken / before for taken, before in zip(seconds[use], plain[use], strict=True))
        print(f"{use}: median {1000 * statistics.median(seconds[use]):.1f} ms of {arguments.repeats}, ratio {ratio:.3f}")


if __name__ == "__main__":
    main()

"""Scores on validation images, and the best weights so far."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import nn

from fplbench.device import in_memory
from fplbench.errors import InputError
from fplbench.stacks import open_stack
from fplbench.training.loop.draws import check_pair
from fplbench.training.loop.tensors import as_images
from fplbench.training.options import TrainingOptions
from fplbench.training.registry import Input, Inputs

Denoise = Callable[[torch.Tensor], torch.Tensor]


class Scorer(Protocol):
    """What scores a network on validation images during training.

    Attributes:
        files: where the images come from.
        metrics: names of the scores; the best weights are those for which the first is highest.
    """

    files: tuple[Path, ...]
    metrics: tuple[str, ...]

    def scores(self) -> dict[str, float]:
        """The scores by name, in their order."""


class Validation:
    """Scores a network as `fplbench score` does: true PSNR of 8-bit images, in evaluation mode.

    Args:
        network: what is trained.
        denoise: from images (N, 1, H, W) in [0, 1] to what is compared with the clean ones.
        given, clean: what goes in and what should come out, uint8 (all, H, W), on the device of the network.
        batch: images that go through the network at once.
        files: where the images come from.
    """

    def __init__(
        self,
        network: nn.Module,
        denoise: Denoise,
        given: torch.Tensor,
        clean: torch.Tensor,
        batch: int = 16,
        files: tuple[Path, ...] = (),
    ):
        self.network, self.denoise, self.given, self.clean, self.batch, self.files = network, denoise, given, clean, batch, files

    metrics: tuple[str, ...] = ("psnr",)

    def scores(self) -> dict[str, float]:
        """The mean PSNR, dB."""
        return {"psnr": self.psnr()}

    def psnr(self) -> float:
        """Mean PSNR over the images, dB; the network stays in the mode in which it was."""
        training = self.network.training
        self.network.eval()
        positions = torch.arange(len(self.clean), device=self.clean.device)
        errors, self.batch = in_parts(self._squared_errors, positions, self.batch)
        self.network.train(training)
        return float((10 * torch.log10(255**2 / errors.cpu())).mean())

    def _squared_errors(self, positions: torch.Tensor) -> torch.Tensor:
        """Mean squared error of each image, in grey levels, with a floor that keeps the PSNR of a perfect image finite."""
        images = self.denoise(as_images(self.given, positions)).float().squeeze(1)
        rounded = images.nan_to_num(0.0).mul(255).round().clamp(0, 255).double()
        return (rounded - self.clean[positions]).square().mean((1, 2)).clamp(min=1e-6)


def read_validation(
    inputs: Inputs, network: nn.Module, denoise: Denoise, options: TrainingOptions, noisy: bool = True
) -> Validation | None:
    """The validation images among the inputs, spread evenly over their stacks; None where there are none.

    Args:
        inputs: `validation_clean` and `validation_noisy`, or neither.
        network: what is trained, on its device.
        denoise: see `Validation`.
        options: how many images are scored.
        noisy: whether noisy images are denoised; else clean ones are restored, and `validation_noisy` is not needed.

    Raises:
        InputError: one of the stacks is missing, or they do not belong together; or the best weights are to be kept, and
            there are no images to find them with.
    """
    names: tuple[Input, ...] = ("validation_clean", "validation_noisy") if noisy else ("validation_clean",)
    files = tuple(inputs[name] for name in names if name in inputs)
    needed = " and ".join(f"--{name.replace('_', '-')}" for name in names)
    if not files and options.keep == "best":
        raise InputError(f"keep is best, which needs validation images: give {needed}, or keep the last weights.")
    if not files:
        return None
    if len(files) < len(names):
        raise InputError(f"Validation needs {needed}: one of them alone is not enough.")
    if noisy:
        check_pair(files[0], files[1])
    stacks = [open_stack(file) for file in files]
    chosen = spread(len(stacks[0]), options.validation_images)
    device = next(network.parameters()).device
    images = [torch.from_numpy(np.array(stack[chosen])).to(device) for stack in stacks]
    return Validation(network, denoise, images[-1], images[0], options.micro_batch or options.batch, files)


def in_parts(measure: Callable[[torch.Tensor], torch.Tensor], positions: torch.Tensor, batch: int) -> tuple[torch.Tensor, int]:
    """Measure images in batches, smaller ones where memory runs out.

    Args:
        measure: from positions (N,) to (N, ...), without gradients.
        positions: those of all images.
        batch: images at once to begin with.

    Returns:
        What was measured of all images, and how many there was memory for at once.
    """

    def attempt(images: int) -> torch.Tensor:
        with torch.inference_mode():
            return torch.cat([measure(part) for part in positions.split(images)])

    return in_memory(attempt, min(batch, len(positions)), "Validation")


def spread(count: int, most: int) -> np.ndarray:
    """At most so many of `count` positions, spread evenly."""
    number = min(count, most)
    return np.arange(number) * count // number


def first(scores: Mapping[str, float]) -> float:
    """The score by which networks are compared."""
    return next(iter(scores.values()))


class Best:
    """The weights with the highest score so far, in the memory of the processor, and the step that led to them."""

    def __init__(self) -> None:
        self.scores: dict[str, float] = {}
        self.step = 0
        self.tensors: dict[str, torch.Tensor] = {}

    def see(self, scores: Mapping[str, float], step: int, network: nn.Module) -> None:
        """Keep the weights if the first of their scores is higher than all before."""
        if not self.scores or first(scores) > first(self.scores):
            self.scores, self.step = dict(scores), step
            self.tensors = {name: tensor.detach().cpu().clone() for name, tensor in network.state_dict().items()}

"""Training of CVF-SID (Neshatavar et al. 2022), which sees noisy images alone."""

import os
from collections.abc import Callable
from itertools import product

import torch
from torch import Tensor, nn

from fplbench.device import choose_device, mixed_precision
from fplbench.networks.cvf_sid import CvfSid, compose
from fplbench.seeds import generator
from fplbench.training.meter import Terms
from fplbench.training.networks import as_images, random_square, seeded
from fplbench.training.options import CvfSidTrainingOptions
from fplbench.training.stages import load_images, run_training

Parts = tuple[Tensor, Tensor, Tensor]


def train_cvf_sid(
    noisy: str | os.PathLike, out: str | os.PathLike, options: CvfSidTrainingOptions, seed: int, device: str = "auto"
) -> None:
    """Train CVF-SID on a stack of noisy images.

    Args:
        noisy: stack of noisy training images, .npy.
        out: the .safetensors file; its log is written beside it, ending in .csv.
        options: width, steps, rates, patch.
        seed: seed of the initial weights, the batches and the crops.
        device: auto, cpu or cuda.
    """
    target = choose_device(device)
    images = load_images(noisy, target)
    network = seeded(lambda: CvfSid(options.width), seed, target)
    loss = CvfSidLoss(network, images, options, seed)
    run_training(network, loss, ["cycle", "augmentation"], len(images), options, {}, [noisy], out, seed)


class CvfSidLoss:
    """The loss on random squares of the images, the same square of all in a step."""

    def __init__(self, network: nn.Module, noisy: Tensor, options: CvfSidTrainingOptions, seed: int):
        self.network, self.noisy, self.options, self.seed = network, noisy, options, seed

    def __call__(self, positions: Tensor, step: int) -> Terms:
        """The two weighted sums of terms for the images at some positions."""
        images = as_images(self.noisy, positions)
        images = random_square(images, self.options.patch, generator(self.seed, "crops", step))
        cycle, augmentation = losses(self._take_apart, images)
        return {"cycle": (cycle, 1.0), "augmentation": (augmentation, self.options.augmentation)}

    def _take_apart(self, images: Tensor) -> Parts:
        with mixed_precision(images.device):
            parts = self.network(images)
        return tuple(part.float() for part in parts)


def losses(take_apart: Callable[[Tensor], Parts], images: Tensor) -> tuple[Tensor, Tensor]:
    """The two sums of mean squared errors that make the network a function which takes images apart.

    Args:
        take_apart: from images to clean image, signal-dependent and signal-independent noise.
        images: noisy images (N, 1, H, W) in [0, 1].

    Returns:
        The ten terms of the cycle: the parts make up the image again; and the clean image, the clean image with its
        dependent noise, and the independent noise, taken apart once more, give what they were made of, three errors
        each. And the seven of the augmentation, three errors each: the same for the other combinations of the parts,
        each noise left out, added, or taken away.
    """
    clean, dependent, independent = take_apart(images)
    nothing = torch.zeros_like(clean)

    def error(image: Tensor, *parts: Tensor) -> Tensor:
        return sum(nn.functional.mse_loss(found, part) for found, part in zip(take_apart(image), parts, strict=True))

    cycle = nn.functional.mse_loss(compose(clean, dependent, independent), images)
    cycle = cycle + error(clean, clean, nothing, nothing)
    cycle = cycle + error(compose(clean, dependent, 0), clean, dependent, nothing)
    cycle = cycle + error(independent, nothing, nothing, independent)
    augmentation = sum(
        error(compose(clean, one * dependent, two * independent), clean, one * dependent, two * independent)
        for one, two in product((-1, 0, 1), repeat=2)
        if (one, two) not in {(0, 0), (1, 0)}
    )
    return cycle, augmentation

"""CVF-SID (Neshatavar et al. 2022), which is trained on noisy images alone."""

from collections.abc import Callable
from functools import reduce
from itertools import product
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from fplbench.training.options import TrainingOptions
from fplbench.training.registry import Inputs, training

if TYPE_CHECKING:
    from torch import Tensor, nn

    from fplbench.training.loop.meter import Terms

    Parts = tuple[Tensor, Tensor, Tensor]


class CvfSidOptions(TrainingOptions):
    """Options of CVF-SID's training; patch, batch, rate and weight of the augmentation are its authors'."""

    steps: int = Field(100_000, ge=1, description="Optimiser steps.")
    batch: int = Field(64, ge=1, description="Images in each step.")
    patch: int = Field(40, ge=8, description="Side of the random crops, pixels.")
    learning_rate: float = Field(1e-4, gt=0, allow_inf_nan=False, description="Peak learning rate of Adam.")
    augmentation: float = Field(0.1, ge=0, allow_inf_nan=False, description="Weight of the terms on recombined images.")


@training("cvf_sid", options=CvfSidOptions, inputs=("noisy",), per=("dataset", "noise"))
def cvf_sid(inputs: Inputs, out: Path, options: CvfSidOptions, seed: int, device: str) -> None:
    """Train CVF-SID on noisy images."""
    from fplbench.device import choose_device
    from fplbench.networks.cvf_sid import CvfSid
    from fplbench.training.loop.run import load_images, run_training
    from fplbench.training.loop.tensors import seeded

    target = choose_device(device)
    images = load_images(inputs["noisy"], target)
    network = seeded(lambda: CvfSid(options.width), seed, target)
    loss = CvfSidLoss(network, images, options, seed)
    run_training(network, loss, ["cycle", "augmentation"], len(images), options, [inputs["noisy"]], out, seed)


class CvfSidLoss:
    """The loss on random squares of the images, the same square of all in a step."""

    def __init__(self, network: "nn.Module", noisy: "Tensor", options: CvfSidOptions, seed: int):
        self.network, self.noisy, self.options, self.seed = network, noisy, options, seed

    def __call__(self, positions: "Tensor", step: int) -> "Terms":
        """The two weighted sums of terms for the images at some positions."""
        from fplbench.seeds import generator
        from fplbench.training.loop.tensors import as_images, random_square

        images = as_images(self.noisy, positions)
        images = random_square(images, self.options.patch, generator(self.seed, "crops", step))
        cycle, augmentation = losses(self._take_apart, images)
        return {"cycle": (cycle, 1.0), "augmentation": (augmentation, self.options.augmentation)}

    def _take_apart(self, images: "Tensor") -> "Parts":
        from fplbench.device import mixed_precision

        with mixed_precision(images.device):
            clean, dependent, independent = self.network(images)
        return clean.float(), dependent.float(), independent.float()


def losses(take_apart: "Callable[[Tensor], Parts]", images: "Tensor") -> "tuple[Tensor, Tensor]":
    """The two loss terms, each a sum of mean squared errors, that train the network to decompose images.

    Args:
        take_apart: decomposes images into clean image, signal-dependent noise and signal-independent noise.
        images: noisy images (N, 1, H, W) in [0, 1].

    Returns:
        The cycle term: the parts must add up to the image; and the clean image, the clean image with its dependent noise,
        and the independent noise, each decomposed again, must give their own parts. The augmentation term: the same for
        the seven other combinations, in which each noise is left out, added or subtracted.
    """
    import torch
    from torch.nn.functional import mse_loss

    from fplbench.networks.cvf_sid import compose

    clean, dependent, independent = take_apart(images)
    nothing = torch.zeros_like(clean)

    def error(image: "Tensor", *parts: "Tensor") -> "Tensor":
        return reduce(add, (mse_loss(found, part) for found, part in zip(take_apart(image), parts, strict=True)))

    cycle = mse_loss(compose(clean, dependent, independent), images)
    cycle = cycle + error(clean, clean, nothing, nothing)
    cycle = cycle + error(compose(clean, dependent, 0), clean, dependent, nothing)
    cycle = cycle + error(independent, nothing, nothing, independent)
    recombined = (
        error(compose(clean, one * dependent, two * independent), clean, one * dependent, two * independent)
        for one, two in product((-1, 0, 1), repeat=2)
        if (one, two) not in {(0, 0), (1, 0)}
    )
    augmentation = reduce(add, recombined)
    return cycle, augmentation

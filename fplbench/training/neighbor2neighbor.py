"""Neighbor2Neighbor (Huang et al. 2021): a denoiser that sees noisy images alone, and predicts pixels from neighbours."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from fplbench.errors import InputError
from fplbench.stacks import open_stack
from fplbench.training.options import AugmentedOptions
from fplbench.training.registry import Inputs, training
from fplbench.training.self_supervised import INPUTS, SelfSupervisedLoss, train_self_supervised

if TYPE_CHECKING:
    from torch import Tensor

    from fplbench.training.loop.meter import Terms

# Pairs of adjacent pixels of a 2x2 cell, numbered row by row, in both orders.
NEIGHBORS = ((0, 1), (0, 2), (1, 3), (2, 3), (1, 0), (2, 0), (3, 1), (3, 2))
MULTIPLE = 32  # of the sides of the images: the U-Net halves those of a sub-image four times


class Neighbor2NeighborOptions(AugmentedOptions):
    """Options of Neighbor2Neighbor; gamma is its authors' for synthetic noise."""

    gamma: float = Field(
        2.0, ge=0, allow_inf_nan=False, description="Weight of the regularisation at the end; it rises linearly from 0."
    )


@training("neighbor2neighbor", options=Neighbor2NeighborOptions, inputs=INPUTS, per=("dataset", "noise"))
def neighbor2neighbor(inputs: Inputs, out: Path, options: Neighbor2NeighborOptions, seed: int, device: str) -> None:
    """Train a U-Net on noisy images alone to predict pixels from their neighbours (Huang et al. 2021).

    Raises:
        InputError: the images are too small.
    """
    _check_size(open_stack(inputs["noisy"]).shape[1:], options, inputs["noisy"])
    train_self_supervised("neighbor2neighbor", Neighbor2NeighborLoss, inputs, out, options, seed, device)


def _check_size(size: Sequence[int], options: Neighbor2NeighborOptions, path: Path) -> None:
    """Raise InputError for images whose sub-images would be too small for the U-Net and its batch norm."""
    height, width = (min(options.patch or side, side) for side in size)
    alone = (options.micro_batch or options.batch) == 1
    if min(height, width) < MULTIPLE or (alone and max(height, width) < 2 * MULTIPLE):
        needed = f"{2 * MULTIPLE} pixels a side for batches of one" if alone else f"{MULTIPLE} pixels a side"
        raise InputError(
            f"Neighbor2Neighbor needs images of at least {needed}, but those of {path}, or its crops, have {height}x{width}."
        )


class Neighbor2NeighborLoss(SelfSupervisedLoss):
    """The two terms of the paper."""

    terms = ("reconstruction", "regularisation")
    stream = "neighbours"
    options: Neighbor2NeighborOptions

    def compare(self, images: "Tensor", step: int, draw: np.random.Generator) -> "Terms":
        """The two terms; the weight of the regularisation rises with the step."""
        import torch

        height, width = (side // MULTIPLE * MULTIPLE for side in images.shape[2:])
        top, left = (int(draw.integers(side % MULTIPLE + 1)) for side in images.shape[2:])
        images = images[:, :, top : top + height, left : left + width]
        pairs = torch.from_numpy(draw.integers(len(NEIGHBORS), size=(len(images), height // 2, width // 2)))
        reconstruction, regularisation = losses(self.denoise, images, pairs.to(images.device))
        weight = self.options.gamma * step / self.options.steps
        return {"reconstruction": (reconstruction, 1.0), "regularisation": (regularisation, weight)}


def losses(denoise: Callable[["Tensor"], "Tensor"], images: "Tensor", pairs: "Tensor") -> "tuple[Tensor, Tensor]":
    """The two loss terms.

    Args:
        denoise: the denoiser, images (N, 1, H, W) to images.
        images: noisy images (N, 1, H, W) with even sides.
        pairs: for each cell of 2x2 pixels, which of NEIGHBORS is taken (N, H/2, W/2).

    Returns:
        Reconstruction: the mean squared difference between the denoised first sub-image and the second. Regularisation: the
        same after subtraction of the difference that the two sub-images of the denoised image have, which has no gradient.
    """
    import torch

    first, second = neighbor_images(images, pairs)
    with torch.no_grad():
        denoised_first, denoised_second = neighbor_images(denoise(images), pairs)
    error = denoise(first) - second
    return (error**2).mean(), ((error - (denoised_first - denoised_second)) ** 2).mean()


def neighbor_images(images: "Tensor", pairs: "Tensor") -> "tuple[Tensor, Tensor]":
    """Two sub-images (N, 1, H/2, W/2) of each image (N, 1, H, W): in each cell of 2x2 pixels, two neighbours.

    Args:
        images: images with even sides.
        pairs: which of NEIGHBORS each cell gives to the two sub-images (N, H/2, W/2).
    """
    import torch

    count, _, height, width = images.shape
    cells = images.reshape(count, height // 2, 2, width // 2, 2).permute(0, 2, 4, 1, 3).flatten(1, 2)
    chosen = torch.tensor(NEIGHBORS, device=pairs.device)[pairs]
    return cells.gather(1, chosen[:, None, ..., 0]), cells.gather(1, chosen[:, None, ..., 1])

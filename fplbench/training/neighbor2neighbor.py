"""Neighbor2Neighbor (Huang et al. 2021): a denoiser that sees noisy images alone, and predicts pixels from neighbours."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from fplbench.errors import InputError
from fplbench.training.options import AugmentedOptions
from fplbench.training.registry import Inputs, training

if TYPE_CHECKING:
    from torch import Tensor, nn

    from fplbench.training.loop.meter import Terms

# Pairs of adjacent pixels of a 2x2 cell, numbered row by row, in both orders.
NEIGHBORS = ((0, 1), (0, 2), (1, 3), (2, 3), (1, 0), (2, 0), (3, 1), (3, 2))
MULTIPLE = 32  # of the sides of the images: the U-Net halves those of a sub-image four times


class Neighbor2NeighborOptions(AugmentedOptions):
    """Options of Neighbor2Neighbor; gamma is its authors' for synthetic noise."""

    gamma: float = Field(
        2.0, ge=0, allow_inf_nan=False, description="Weight of the regularisation at the end; it rises linearly from 0."
    )


@training(
    "neighbor2neighbor",
    options=Neighbor2NeighborOptions,
    inputs=("noisy", "validation_clean", "validation_noisy"),
    per=("dataset", "noise"),
)
def neighbor2neighbor(inputs: Inputs, out: Path, options: Neighbor2NeighborOptions, seed: int, device: str) -> None:
    """Train a U-Net on noisy images alone to predict pixels from their neighbours (Huang et al. 2021).

    Raises:
        InputError: the images are too small.
    """
    from fplbench.device import choose_device
    from fplbench.training.fpl import new_denoiser
    from fplbench.training.loop.draws import allowed_flips
    from fplbench.training.loop.run import load_images, run_training
    from fplbench.training.loop.validation import read_validation

    target = choose_device(device)
    images = load_images(inputs["noisy"], target)
    _check_size(images, options, inputs["noisy"])
    network = new_denoiser(options.width, seed, target)
    flips = allowed_flips(inputs["noisy"]) if options.flips else ()
    loss = Neighbor2NeighborLoss(network, images, options, seed, flips)
    validation = read_validation(inputs, network, lambda noisy: noisy - network(noisy), options)
    terms, files, record = ["reconstruction", "regularisation"], [inputs["noisy"]], {"output": "noise", "flips": flips}
    run_training(network, loss, terms, len(images), options, files, out, seed, record, validation=validation)


def _check_size(images: "Tensor", options: Neighbor2NeighborOptions, path: Path) -> None:
    """Raise InputError for images whose sub-images would be too small for the U-Net and its batch norm."""
    height, width = (min(options.patch or side, side) for side in images.shape[1:])
    alone = (options.micro_batch or options.batch) == 1
    if min(height, width) < MULTIPLE or (alone and max(height, width) < 2 * MULTIPLE):
        needed = f"{2 * MULTIPLE} pixels a side for batches of one" if alone else f"{MULTIPLE} pixels a side"
        raise InputError(
            f"Neighbor2Neighbor needs images of at least {needed}, but those of {path}, or its crops, have {height}x{width}."
        )


class Neighbor2NeighborLoss:
    """The two terms of the paper. The network predicts the noise, which is subtracted, as in FPL."""

    def __init__(
        self, network: "nn.Module", noisy: "Tensor", options: Neighbor2NeighborOptions, seed: int, flips: Sequence[str] = ()
    ):
        from fplbench.training.loop.views import Views

        self.network, self.noisy, self.options, self.seed = network, noisy, options, seed
        self.views = Views(len(noisy), noisy.shape[1:], seed, flips, options.patch)
        self._step = -1

    def __call__(self, positions: "Tensor", step: int) -> "Terms":
        """The terms for the images at some positions, in one step of the training."""
        import torch

        from fplbench.seeds import generator

        if step != self._step:  # the micro-batches of a step go on drawing from its stream
            self._step = step
            self._draw = generator(self.seed, "neighbours", step)
        images = self.views(positions, step).of(self.noisy)
        height, width = (side // MULTIPLE * MULTIPLE for side in images.shape[2:])
        top, left = (int(self._draw.integers(side % MULTIPLE + 1)) for side in images.shape[2:])
        images = images[:, :, top : top + height, left : left + width]
        pairs = torch.from_numpy(self._draw.integers(len(NEIGHBORS), size=(len(images), height // 2, width // 2)))
        reconstruction, regularisation = losses(self._denoise, images, pairs.to(images.device))
        weight = self.options.gamma * step / self.options.steps
        return {"reconstruction": (reconstruction, 1.0), "regularisation": (regularisation, weight)}

    def _denoise(self, images: "Tensor") -> "Tensor":
        from fplbench.device import mixed_precision

        with mixed_precision(images.device):
            noise = self.network(images)
        return images - noise.float()


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

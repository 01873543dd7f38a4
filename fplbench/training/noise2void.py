"""Noise2Void (Krull et al. 2019): a denoiser that sees noisy images alone, and has to guess pixels that are hidden from it."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from fplbench.training.options import AugmentedOptions
from fplbench.training.registry import Inputs, training
from fplbench.training.self_supervised import INPUTS, SelfSupervisedLoss, train_self_supervised

if TYPE_CHECKING:
    import torch

    from fplbench.training.loop.meter import Terms


class Noise2VoidOptions(AugmentedOptions):
    """Options of Noise2Void; one hidden pixel in 64 and a window of 11 pixels are its authors'."""

    cell: int = Field(
        8,
        ge=2,
        le=64,
        description="One pixel is hidden in each square of this side, pixels: 8 hides 1.6 % of all, 4 hides 6.3 %.",
    )
    radius: int = Field(
        5, ge=1, le=64, description="A hidden pixel gets the value of another one at most this far away along each axis, pixels."
    )


@training("noise2void", options=Noise2VoidOptions, inputs=INPUTS, per=("dataset", "noise"))
def noise2void(inputs: Inputs, out: Path, options: Noise2VoidOptions, seed: int, device: str) -> None:
    """Train a U-Net on noisy images alone to guess hidden pixels from those around them (Krull et al. 2019)."""
    train_self_supervised("noise2void", Noise2VoidLoss, inputs, out, options, seed, device)


class Noise2VoidLoss(SelfSupervisedLoss):
    """Mean squared error at the hidden pixels between what is guessed there and the noisy image."""

    terms = ("hidden",)
    stream = "hidden pixels"
    options: Noise2VoidOptions

    def compare(self, images: "torch.Tensor", step: int, draw: np.random.Generator) -> "Terms":
        """The one term."""
        import torch

        shape = len(images), images.shape[2], images.shape[3]
        places = hidden_pixels(shape, self.options.cell, self.options.radius, draw)
        hidden, sources = (torch.from_numpy(place).to(images.device) for place in places)
        error = (self.denoise(replace_pixels(images, hidden, sources)) - images).flatten()[hidden]
        return {"hidden": ((error**2).mean(), 1.0)}


def hidden_pixels(
    shape: tuple[int, int, int], cell: int, radius: int, draw: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Choose the pixels that are hidden, one in each cell of the images, and those whose values they get.

    Args:
        shape: number, height and width of the images.
        cell: side of the square cells. In a cell that reaches beyond the image the chosen place may lie outside; then no pixel of
            this cell is hidden, so that all pixels are hidden with the same probability.
        radius: the other pixel is drawn uniformly from the square window of this radius without its centre, as far as it
            lies in the image.
        draw: the random generator.

    Returns:
        Positions of the hidden pixels and of the others in the flattened images (N, H, W).
    """
    count, height, width = shape
    rows, columns = -(-height // cell), -(-width // cell)
    place = draw.integers(cell**2, size=(count, rows, columns))
    y = np.arange(rows)[:, None] * cell + place // cell
    x = np.arange(columns) * cell + place % cell
    image, row, column = np.nonzero((y < height) & (x < width))
    y, x = y[image, row, column], x[image, row, column]
    top, left = np.maximum(y - radius, 0), np.maximum(x - radius, 0)
    window_height, window_width = (np.minimum(y + radius, height - 1) - top + 1, np.minimum(x + radius, width - 1) - left + 1)
    other = draw.integers(window_height * window_width - 1)
    other += other >= (y - top) * window_width + x - left  # the centre is passed over
    other_y, other_x = top + other // window_width, left + other % window_width
    return (image * height + y) * width + x, (image * height + other_y) * width + other_x


def replace_pixels(images: "torch.Tensor", hidden: "torch.Tensor", sources: "torch.Tensor") -> "torch.Tensor":
    """The images (N, 1, H, W) with the values of some pixels at the places of others, both positions in the flattened images."""
    values = images.flatten()
    replaced = values.clone()
    replaced[hidden] = values[sources]
    return replaced.view_as(images)

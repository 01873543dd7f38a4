"""What a training sees of an image in a step: which part of it, and which way round."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from fplbench.seeds import generator
from fplbench.training.loop.tensors import as_images

VERTICAL, HORIZONTAL = 0, 1


@dataclass(frozen=True)
class View:
    """Parts of images at some positions of a stack.

    Attributes:
        positions: (N,); beyond the last image of a stack they begin again at its first.
        rows, columns: (N, h) and (N, w), the pixels in the order in which they are seen; None: whole images, not flipped.
        flipped: bool (N, 2), whether an image is seen upside down, and whether mirrored left to right.
    """

    positions: torch.Tensor
    rows: torch.Tensor | None = None
    columns: torch.Tensor | None = None
    flipped: torch.Tensor | None = None

    def of(self, stack: torch.Tensor) -> torch.Tensor:
        """The images (N, 1, h, w) in [0, 1], of a uint8 stack (all, H, W) on the same device."""
        return as_images(stack, self._pixels(stack))

    def as_they_are(self, stack: torch.Tensor) -> torch.Tensor:
        """The same of another stack that belongs to the images, (N, 1, h, w), with its own values."""
        return stack[self._pixels(stack)].unsqueeze(1)

    def _pixels(self, stack: torch.Tensor) -> torch.Tensor | tuple[torch.Tensor, ...]:
        """What is seen, as indices of a stack."""
        positions = self.positions % len(stack)
        if self.rows is None or self.columns is None:
            return positions
        return positions[:, None, None], self.rows[:, :, None], self.columns[:, None, :]

    def undo(self, images: torch.Tensor) -> torch.Tensor:
        """Images (N, 1, h, w) that were seen in this view, the right way round."""
        if self.flipped is None:
            return images
        for axis in (VERTICAL, HORIZONTAL):
            images = torch.where(self.flipped[:, axis, None, None, None], images.flip(2 + axis), images)
        return images


class Views:
    """Random views, drawn for each image by itself: they depend on the seed, the step and the image alone.

    They are drawn on the device, so that nothing is copied to it in a step.

    Args:
        count: number of images.
        size: height and width.
        seed: seed of the training.
        flips: the axes along which images are flipped, "horizontal" (left to right) and "vertical" (upside down).
        patch: side of the crops; None: whole images.
    """

    def __init__(self, count: int, size: Sequence[int], seed: int, flips: Sequence[str] = (), patch: int | None = None):
        self.count, self.size, self.seed, self.flips, self.patch = count, tuple(size), seed, tuple(flips), patch

    def __call__(self, positions: torch.Tensor, step: int, whole: bool = False) -> View:
        """The view of the images at some positions in a step; `whole` leaves out the crop.

        A position beyond `count` is that of the same image again.
        """
        crop = self.patch is not None and not whole
        if not self.flips and not crop:
            return View(positions)
        device = positions.device
        random = torch.Generator(device).manual_seed(int(generator(self.seed, "views", step).integers(2**62)))
        drawn = torch.rand(self.count, 4, generator=random, device=device)[positions % self.count]
        shares = [0.5 if axis in self.flips else 0 for axis in ("vertical", "horizontal")]
        flipped = torch.stack([drawn[:, axis] < share for axis, share in enumerate(shares)], dim=1)
        sides = [min(self.patch or side, side) if crop else side for side in self.size]
        rows, columns = (_pixels(drawn[:, 2 + i], flipped[:, i], self.size[i], sides[i]) for i in (VERTICAL, HORIZONTAL))
        return View(positions, rows, columns, flipped)


def _pixels(drawn: torch.Tensor, flipped: torch.Tensor, size: int, side: int) -> torch.Tensor:
    """Pixels (N, side) along one axis of `size` pixels: where random numbers (N,) put the crop, backwards where flipped."""
    first = (drawn * (size - side + 1)).long().clamp(max=size - side)
    along = torch.arange(side, device=drawn.device).expand(len(drawn), side)
    return first[:, None] + torch.where(flipped[:, None], side - 1 - along, along)

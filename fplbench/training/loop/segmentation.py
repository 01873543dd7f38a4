"""Images with annotated lesions: how far a network is from the annotations, and its score on validation images."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from fplbench.errors import InputError
from fplbench.lesions.stack import share_of_annotations
from fplbench.stacks import describe_size, index_path, open_stack, read_index
from fplbench.training.loop.tensors import as_images
from fplbench.training.loop.validation import in_parts, spread

PathLike = str | os.PathLike[str]
Segment = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Annotated:
    """The images of a stack that an annotation covers, and their lesions.

    Attributes:
        images: uint8 (N, H, W).
        lesions: uint8 (N, H, W), 1 in a lesion, else 0.
        files: where they come from.
    """

    images: torch.Tensor
    lesions: torch.Tensor
    files: tuple[Path, ...]

    @property
    def share(self) -> float:
        """Share of the pixels that belong to a lesion."""
        return float(self.lesions.double().mean())

    def chosen(self, most: int) -> "Annotated":
        """At most so many of the images, spread evenly."""
        positions = torch.from_numpy(spread(len(self.images), most)).to(self.images.device)
        return Annotated(self.images[positions], self.lesions[positions], self.files)


def load_annotated(stack: PathLike, lesions: PathLike, device: torch.device, share: float = 1.0) -> Annotated:
    """Load the images that an annotation covers: all but those whose row in the index says that `annotated` is 0.

    Args:
        stack: the stack of images; its index may be missing.
        lesions: its lesion stack, 0 outside lesions.
        device: where the tensors go.
        share: share of the images with lesions whose annotation is used; the others are left out.

    Raises:
        InputError: a file is missing or malformed, the sizes of the stacks differ, or no image is annotated.
    """
    images, numbers = open_stack(stack), open_stack(lesions)
    if images.shape != numbers.shape:
        raise InputError(f"{lesions} holds {describe_size(numbers)}, but {stack} {describe_size(images)}: both must be the same.")
    known, files = np.arange(len(images)), [Path(stack), Path(lesions)]
    if index_path(stack).exists():
        files.append(index_path(stack))
        known = np.array([row.get("annotated") != "0" for row in read_index(stack, len(images))]).nonzero()[0]
    if not len(known):
        raise InputError(f"No annotation covers any of the images of {stack}, so nothing is known of their lesions.")
    known = known[share_of_annotations(numbers[known], share)]
    marked = np.array(numbers[known] > 0, np.uint8)
    return Annotated(torch.from_numpy(np.array(images[known])).to(device), torch.from_numpy(marked).to(device), tuple(files))


def soft_dice_loss(shares: torch.Tensor, lesions: torch.Tensor) -> torch.Tensor:
    """Soft Dice loss, 1 - (2 sum(p g) + 1) / (sum(p^2) + sum(g^2) + 1), with sums over all pixels of the batch.

    It does not depend on how many pixels are rightly left out, so lesions may be small. The ones keep it defined, and its
    gradient finite, where a batch has no lesion.

    Args:
        shares: p, the probability of a lesion at each pixel, of any shape.
        lesions: g, 1 in a lesion and else 0, of the same shape.

    Returns:
        Scalar from 0 to 1.

    Source:
        Milletari et al. 2016, without the ones.
    """
    return 1 - (2 * (shares * lesions).sum() + 1) / (shares.square().sum() + lesions.square().sum() + 1)


class LesionValidation:
    """Scores a network that finds lesions in validation images, in evaluation mode; a pixel is found where its logit is positive.

    Args:
        network: what is trained, from images (N, 1, H, W) in [0, 1] to logits of the same shape.
        annotated: the images, of which at least one has a lesion.
        batch: images that go through the network at once.
    """

    metrics: tuple[str, ...] = ("dice", "dice_of_images")

    def __init__(self, network: nn.Module, annotated: Annotated, batch: int = 16):
        self.network, self.annotated, self.batch, self.files = network, annotated, batch, annotated.files

    def scores(self) -> dict[str, float]:
        """Dice coefficients, 2 |A and B| / (|A| + |B|), for the pixels A that the network finds and B that are annotated.

        Returns:
            `dice`, of the pixels of all images together, to which false alarms in images without a lesion count too; and
            `dice_of_images`, the mean over the images that have a lesion.
        """
        training = self.network.training
        self.network.eval()
        positions = torch.arange(len(self.annotated.images), device=self.annotated.images.device)
        counts, self.batch = in_parts(self._counts, positions, self.batch)
        self.network.train(training)
        both, found, lesion = counts.double().cpu().T
        some = lesion > 0
        of_images = 2 * both[some] / (found[some] + lesion[some])
        return {"dice": float(2 * both.sum() / (found.sum() + lesion.sum())), "dice_of_images": float(of_images.mean())}

    def _counts(self, positions: torch.Tensor) -> torch.Tensor:
        """Pixels of each image (N, 3): found in a lesion, found at all, and of lesions."""
        found = self.network(as_images(self.annotated.images, positions)).squeeze(1) > 0
        lesions = self.annotated.lesions[positions] > 0
        return torch.stack([each.sum((1, 2)) for each in (found & lesions, found, lesions)], dim=1)

"""The gradients of a batch, from as many of its images at once as memory allows."""

from collections.abc import Callable, Mapping
from typing import TypeVar

import torch
from torch import nn

from fplbench.device import in_memory
from fplbench.training.loop.losses import LossFunction, load_into, measured_by, state_of
from fplbench.training.loop.meter import Meter, Terms, total_loss

Result = TypeVar("Result")
Part = tuple[Terms, float, Mapping[str, torch.Tensor]]
"""Of a micro-batch: the terms of its loss without their graph, its share of the batch, and what else was measured."""


class MicroBatches:
    """Micro-batches whose gradients add up to those of a batch.

    Where memory runs out in a step, the step begins again with micro-batches of at most half the size, and the training keeps
    them. What a loss draws by itself in a step goes on in its stream, as it does from one micro-batch to the next.

    The gradient of a loss that is a mean over images stays what it is, up to rounding, unless the network has batch norm: it
    normalises with the statistics of a micro-batch, and its running statistics move with each of them.

    Args:
        network: what is trained.
        losses: the loss function.
        batch: images in each step.
        size: images in each micro-batch to begin with; it divides `batch`.
        name: what is trained, for messages.

    Attributes:
        size: images in each micro-batch.
    """

    def __init__(self, network: nn.Module, losses: LossFunction, batch: int, size: int, name: str):
        self.network, self.losses, self.batch, self.size, self.name = network, losses, batch, size, name

    def take_gradients(self, step: int, positions: torch.Tensor, meter: Meter, measure: bool) -> None:
        """Give the parameters the gradients of a batch, and the meter the terms of its loss.

        Args:
            step: the step.
            positions: those of the images of the batch.
            meter: gets what there is to log.
            measure: whether it also gets the norms of the gradients, which are those of the first micro-batch.

        Raises:
            InputError: there is not enough memory for a single image.
        """
        before = self._changeable()

        def attempt(images: int) -> list[Part]:
            if images < self.size:
                self._put_back(before)
            self.network.zero_grad()
            parts = enumerate(positions.split(images))
            return [self._add(step, part, len(part) / len(positions), meter if measure and not k else None) for k, part in parts]

        for part in self._in_memory(attempt):
            meter.add(step, *part)

    def loss(self, step: int, positions: torch.Tensor) -> torch.Tensor:
        """The loss of the first micro-batch among some images; network and loss function stay as they are."""
        before = self._changeable()
        total = self._in_memory(lambda images: total_loss(self.losses(positions[:images], step)).detach())
        self._put_back(before)
        return total

    def _add(self, step: int, positions: torch.Tensor, share: float, measuring: Meter | None) -> Part:
        """Add the gradients of a micro-batch to those of the parameters."""
        terms = self.losses(positions, step)
        if measuring:
            measuring.measure_gradients(self.network, terms)
        (total_loss(terms) * share).backward()
        return {name: (loss.detach(), weight) for name, (loss, weight) in terms.items()}, share, measured_by(self.losses)

    def _in_memory(self, attempt: Callable[[int], Result]) -> Result:
        """Do something with micro-batches, smaller ones from then on where memory runs out."""
        result, self.size = in_memory(attempt, self.size, self.name, self._fewer)
        return result

    def _fewer(self, images: int) -> int:
        """At most half as many images, so that they divide the batch: its parts then count the same."""
        return max(part for part in range(1, images // 2 + 1) if self.batch % part == 0)

    def _changeable(self) -> tuple[list[torch.Tensor], dict[str, torch.Tensor]]:
        """What changes when the loss is computed: running statistics of the network, and what the loss function remembers."""
        return [buffer.clone() for buffer in self.network.buffers()], state_of(self.losses)

    def _put_back(self, before: tuple[list[torch.Tensor], dict[str, torch.Tensor]]) -> None:
        """Go back to what `_changeable` returned."""
        buffers, remembered = before
        load_into(self.losses, remembered)
        with torch.no_grad():
            for buffer, value in zip(self.network.buffers(), buffers, strict=True):
                buffer.copy_(value)

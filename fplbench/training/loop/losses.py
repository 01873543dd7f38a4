"""What a loss function gives the training loop beside its terms: numbers for the log, and a state to be resumed with."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, runtime_checkable

import torch

from fplbench.training.loop.meter import Terms

# A loss function takes the positions (N,) of the images of a batch, and the step.
LossFunction = Callable[[torch.Tensor, int], Terms]


@runtime_checkable
class Gauged(Protocol):
    """A loss function that measures something when it is called.

    Attributes:
        gauges: names of all that it can measure, which are columns of the log.
        measured: what it measured in the last call, by name: scalars on the device.
    """

    gauges: Sequence[str]
    measured: Mapping[str, torch.Tensor]


@runtime_checkable
class Stateful(Protocol):
    """A loss function that remembers earlier steps."""

    def state(self) -> dict[str, torch.Tensor]:
        """Tensors that a training that is resumed hands to `load`."""

    def load(self, state: Mapping[str, torch.Tensor]) -> None:
        """Go on from a state."""


def gauges_of(loss: LossFunction) -> Sequence[str]:
    """The names of what a loss function can measure."""
    return loss.gauges if isinstance(loss, Gauged) else ()


def measured_by(loss: LossFunction) -> Mapping[str, torch.Tensor]:
    """What a loss function measured in its last call."""
    return loss.measured if isinstance(loss, Gauged) else {}


def state_of(loss: LossFunction) -> dict[str, torch.Tensor]:
    """The state of a loss function; empty if it remembers nothing."""
    return loss.state() if isinstance(loss, Stateful) else {}


def load_into(loss: LossFunction, state: Mapping[str, torch.Tensor]) -> None:
    """Let a loss function go on from a state."""
    if isinstance(loss, Stateful):
        loss.load(state)

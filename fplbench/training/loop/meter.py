"""What a group of training steps did: losses, gradient norms, speed and memory, as a row of the log."""

import resource
import sys
from collections.abc import Mapping, Sequence
from functools import reduce
from operator import add

import torch
from torch import nn

# Terms of a loss: name -> (loss, weight).
Terms = dict[str, tuple[torch.Tensor, float | torch.Tensor]]


def total_loss(terms: Terms) -> torch.Tensor:
    """The weighted sum of the terms."""
    return reduce(add, (weight * loss for loss, weight in terms.values()))


class Meter:
    """Losses and gradient norms of a group of steps, kept on the device until the group ends.

    Args:
        names: the terms of the loss.
        device: where the training runs.
        gauges: what else the loss function measures.
    """

    def __init__(self, names: list[str], device: torch.device, gauges: Sequence[str] = ()):
        self.names, self.device, self.gauges = names, device, gauges
        self.sums = {name: torch.zeros((), device=device) for name in [*names, *gauges]}
        self.counts = dict.fromkeys(self.sums, 0.0)
        self.norms: dict[str, torch.Tensor] = {}
        self.totals: dict[int, torch.Tensor] = {}
        self.progress: dict[str, float] = {}
        self.validation: dict[str, float] = {}

    @staticmethod
    def columns(names: list[str], metrics: Sequence[str] = ("psnr",), gauges: Sequence[str] = ()) -> list[str]:
        """Columns of the log: terms of the loss, what else it measures, and scores of validation images."""
        losses = [f"loss_{name}" for name in names]
        norms = [f"gradient_norm_{name}" for name in names]
        scores = [f"validation_{name}" for name in metrics]
        return ["step", *losses, *norms, *gauges, "learning_rate", *scores, "images_per_second", "peak_memory_mb"]

    def add(self, step: int, terms: Terms, share: float, measured: Mapping[str, torch.Tensor] | None = None) -> None:
        """Add the terms of one micro-batch, `share` of the batch of a step, and what else was measured in it."""
        for name, (loss, weight) in terms.items():
            loss = loss.detach() * share
            self.sums[name] += loss
            self.counts[name] += share
            self.totals[step] = self.totals.get(step, 0) + weight * loss
        for name, value in (measured or {}).items():
            self.sums[name] += value.detach() * share
            self.counts[name] += share

    def measure_gradients(self, network: nn.Module, terms: Terms) -> None:
        """Measure the norm of each weighted term's gradient with respect to the parameters."""
        parameters = list(network.parameters())
        for name, (loss, weight) in terms.items():
            gradients = torch.autograd.grad(weight * loss, parameters, retain_graph=True, materialize_grads=True)
            self.norms[name] = torch.stack([gradient.norm() for gradient in gradients]).norm()

    def finish(self, step: int, rate: float, images_per_second: float) -> None:
        """Close the group: steps done, the last learning rate, and the speed."""
        self.progress = {
            "step": step,
            "learning_rate": rate,
            "images_per_second": round(images_per_second, 2),
            "peak_memory_mb": round(peak_memory_mb(self.device)),
        }

    def validated(self, scores: Mapping[str, float]) -> None:
        """Add the scores of the validation images after the last step."""
        self.validation = {f"validation_{name}": round(score, 4) for name, score in scores.items()}

    def means(self) -> dict[str, float]:
        """Mean of each term and each gauge over the steps that had it; nan where none had."""
        counted = {name: self.counts[name] or float("nan") for name in self.sums}
        return {name: float(total) / counted[name] for name, total in self.sums.items()}

    def row(self) -> dict[str, float]:
        """The group as a row of the log."""
        means = self.means()
        losses = {f"loss_{name}": means[name] for name in self.names}
        norms = {f"gradient_norm_{name}": float(self.norms.get(name, "nan")) for name in self.names}
        return {**losses, **norms, **{name: means[name] for name in self.gauges}, **self.progress, **self.validation}

    def __str__(self) -> str:
        losses = [f"{name} {mean:.4g}" for name, mean in self.means().items() if mean == mean]
        return ", ".join([*losses, *(f"{name} {score:.4g}" for name, score in self.validation.items())])


def peak_memory_mb(device: torch.device) -> float:
    """Peak memory so far in MiB: of the GPU on CUDA, of the process elsewhere."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    units = 2**20 if sys.platform == "darwin" else 2**10  # macOS counts bytes, Linux kibibytes
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / units

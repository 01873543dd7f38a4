"""The weight of L_FP that holds the ratio of its gradient to that of L_res."""

from collections.abc import Mapping

import torch

DECAY = 0.9
"""What a step leaves of the weight of those before it in the running mean."""


class Balance:
    """Weights w for which w |g_FP| / |g_res| is a given ratio, g being the gradients with respect to the denoised images.

    The two norms vary from batch to batch, so w is the ratio times exp(mean of log(|g_res| / |g_FP|)). The mean runs over the
    steps with L_FP, the current one included, and each of them counts 0.9 times as much as the next. It is divided by the sum of
    these weights, so that w is exact in the first step.

    Args:
        ratio: what is held.
        device: where the mean is kept.
    """

    def __init__(self, ratio: float, device: torch.device) -> None:
        self.ratio = ratio
        self.total = torch.zeros((), dtype=torch.float64, device=device)
        self.count = torch.zeros((), dtype=torch.float64, device=device)

    def __call__(self, residual: torch.Tensor, feature: torch.Tensor, share: float = 1.0) -> torch.Tensor:
        """The weight for a part of a batch, from the norms of the two gradients over it.

        Args:
            residual, feature: |g_res| and |g_FP|, scalars.
            share: how much of a batch the part is; the parts of one step change the mean as much as a whole batch does.

        Returns:
            A scalar. It is 0 where one of the norms is, and such a part leaves the mean as it was.
        """
        logarithm = (residual.double() / feature.double()).log()
        usable = logarithm.isfinite()
        decay = DECAY**share
        self.total = torch.where(usable, decay * self.total + (1 - decay) * logarithm, self.total)
        self.count = torch.where(usable, decay * self.count + (1 - decay), self.count)
        return torch.where(usable, self.ratio * (self.total / self.count).exp(), 0.0)

    def state(self) -> dict[str, torch.Tensor]:
        """What a training that is resumed needs of the steps before."""
        return {"total": self.total, "count": self.count}

    def load(self, state: Mapping[str, torch.Tensor]) -> None:
        """Go on from a state."""
        self.total, self.count = (state[name].to(self.total.device) for name in ("total", "count"))

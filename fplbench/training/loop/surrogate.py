"""A loss whose gradient with respect to the images is known already."""

from typing import Any

import torch
from torch.autograd.function import once_differentiable


def with_gradient(images: torch.Tensor, value: torch.Tensor, gradient: torch.Tensor, weight: float = 1.0) -> torch.Tensor:
    """A scalar that has a given value and, when `weight` times it is differentiated, a given gradient.

    Where a loss is differentiated with respect to the images first, its gradient is known before that of the network, and can be
    measured. The loss itself need not be differentiated again then.

    Args:
        images: what the loss is of, (N, 1, H, W), with its graph.
        value: the loss, a scalar.
        gradient: that of `weight` times the loss with respect to the images, of their shape.
        weight: what the scalar will be multiplied by. With the factor in the gradient it is rounded as if the loss had been
            differentiated directly.
    """
    return _WithGradient.apply(images, value.detach(), gradient, torch.full_like(value, weight))


class _WithGradient(torch.autograd.Function):
    @staticmethod
    def forward(
        context: Any, images: torch.Tensor, value: torch.Tensor, gradient: torch.Tensor, weight: torch.Tensor
    ) -> torch.Tensor:
        context.save_for_backward(gradient, weight)
        return value.clone()

    @staticmethod
    @once_differentiable
    def backward(context: Any, outer: torch.Tensor) -> tuple[torch.Tensor, None, None, None]:
        gradient, weight = context.saved_tensors
        return outer / weight * gradient, None, None, None

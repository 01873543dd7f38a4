"""The ReLUs of an explained network, smoothed or gated for as long as it is explained."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from fplbench.errors import InputError


@contextmanager
def evaluation(network: nn.Module) -> Iterator[None]:
    """Put all modules into evaluation mode, and restore the mode of each at the end."""
    modes = {module: module.training for module in network.modules()}
    network.eval()
    try:
        yield
    finally:
        for module, training in modes.items():
            module.training = training


@contextmanager
def rectifiers(network: nn.Module, activation: str, beta: float, guided: bool) -> Iterator[list]:
    """Replace the ReLUs of a network within this context.

    Args:
        network: its activations are nn.ReLU modules with inplace=False.
        activation: `softplus` smooths them; `relu` leaves them as they are.
        beta: sharpness of the softplus.
        guided: whether a gradient passes each only where it is positive.

    Yields:
        The handles of the tensor hooks of guided back-propagation, which the caller removes once the derivative is computed.

    Raises:
        InputError: the network has no ReLU, or one that works in place.
    """
    gradient_handles: list = []
    smooth = activation == "softplus"

    def gate(preactivation: torch.Tensor) -> torch.Tensor:
        output = _Softplus.apply(preactivation, beta) if smooth else functional.relu(preactivation)
        if guided and output.requires_grad:
            gradient_handles.append(output.register_hook(functional.relu))
        return output

    found = [module for module in network.modules() if isinstance(module, nn.ReLU)]
    if not found or any(module.inplace for module in found):
        raise InputError("An explanation needs a network that has nn.ReLU modules, all of them with inplace=False.")
    for module in found:
        module.forward = gate  # type: ignore[method-assign, assignment]
    try:
        yield gradient_handles
    finally:
        for module in found:
            del module.forward
        for handle in gradient_handles:
            handle.remove()


class _Softplus(torch.autograd.Function):
    """log(1 + exp(beta z)) / beta. Its derivatives share one sigmoid, whereas torch computes the exponential each time."""

    @staticmethod
    def forward(context: Any, preactivation: torch.Tensor, beta: float) -> torch.Tensor:
        context.beta = beta
        context.save_for_backward(preactivation, (beta * preactivation).sigmoid_())
        return functional.softplus(preactivation, beta=beta)

    @staticmethod
    def backward(context: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        return _SoftplusGradient.apply(gradient, *context.saved_tensors, context.beta), None


class _SoftplusGradient(torch.autograd.Function):
    """g s(z), with the given s(z) = sigmoid(beta z), whose derivative is beta s (1 - s)."""

    @staticmethod
    def forward(
        context: Any, gradient: torch.Tensor, preactivation: torch.Tensor, slope: torch.Tensor, beta: float
    ) -> torch.Tensor:
        context.beta = beta
        context.save_for_backward(gradient, slope)
        return gradient * slope

    @staticmethod
    @once_differentiable
    def backward(context: Any, outer: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None, None]:
        gradient, slope = context.saved_tensors
        inner = outer * slope
        curvature = (inner * gradient).mul_(context.beta)
        return inner, curvature.addcmul_(curvature, slope, value=-1), None, None

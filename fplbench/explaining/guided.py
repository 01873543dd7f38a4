"""Guided back-propagation (Eq. 2) whose maps can be differentiated again, which the feature preserving loss needs."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from fplbench.errors import InputError, nearest

READOUTS = {
    "sum": lambda output: output.sum(),
    "half_square": lambda output: 0.5 * output.square().sum(),
    "sigmoid_sum": lambda output: output.sigmoid().sum(),
}
ACTIVATIONS = ("softplus", "relu")


def guided_backprop(
    network: nn.Module,
    images: torch.Tensor,
    readout: str = "sum",
    activation: str = "softplus",
    beta: float = 100.0,
    create_graph: bool = False,
) -> torch.Tensor:
    """Guided back-propagation maps of a network: which pixels contribute to its output.

    The gradient of a scalar of the output is taken with respect to the images; at every ReLU it passes only where it is
    positive and the unit is active (Springenberg et al. 2015; the paper's Eq. 2). Batch norm uses its running statistics,
    so that the map of an image does not depend on the rest of the batch.

    A ReLU network is piecewise linear: the derivative of its `sum` map is zero almost everywhere, and so is the gradient
    of any loss on that map. `softplus` explains the network with its ReLUs smoothed, log(1 + exp(beta z)) / beta, while the
    gate on the incoming gradient stays a ReLU (Dombrowski et al. 2019): nearly the same map, with a derivative.

    Args:
        network: maps (N, 1, H, W) to (N, 1, H, W); its activations are nn.ReLU modules that do not work in place.
        images: (N, 1, H, W) in [0, 1].
        readout: the scalar that is explained: `sum` of the output, `half_square` (half its squared norm) or
            `sigmoid_sum` (sum of its sigmoid, after the paper's Eq. 1).
        activation: `softplus`, or `relu` for the paper's letter.
        beta: sharpness of the softplus, > 0; larger is closer to the ReLU.
        create_graph: whether the maps can be differentiated with respect to the images.

    Returns:
        Maps (N, 1, H, W), of the dtype of the images. Without `create_graph` they are detached.

    Raises:
        InputError: unknown readout or activation, beta not positive, or a network without usable ReLU modules.
    """
    check_explanation(readout, activation, beta)
    if not (create_graph and images.requires_grad):
        images = images.detach().requires_grad_()
    with torch.enable_grad(), _evaluation(network), _guided(network, activation, beta) as gradient_handles:
        scalar = READOUTS[readout](network(images))
        try:
            (maps,) = torch.autograd.grad(scalar, images, create_graph=create_graph)
        finally:
            # The guided rule belongs to this derivative only: left in place, the tensor hooks would clamp the
            # gradients of a later loss.backward() as well, and make them wrong.
            for handle in gradient_handles:
                handle.remove()
    return maps


def check_explanation(readout: str, activation: str, beta: float) -> None:
    """Raise InputError unless guided_backprop knows the readout and the activation, and beta is positive."""
    if readout not in READOUTS:
        raise InputError(f"readout {readout!r} is not known: {nearest(readout, READOUTS)}")
    if activation not in ACTIVATIONS:
        raise InputError(f"activation {activation!r} is not known: {nearest(activation, ACTIVATIONS)}")
    if not 0 < beta < float("inf"):
        raise InputError(f"beta is {beta}: the sharpness of the softplus must be positive and finite.")


@contextmanager
def _evaluation(network: nn.Module) -> Iterator[None]:
    """Put every module into evaluation mode, and back into the mode it had."""
    modes = {module: module.training for module in network.modules()}
    network.eval()
    try:
        yield
    finally:
        for module, training in modes.items():
            module.training = training


@contextmanager
def _guided(network: nn.Module, activation: str, beta: float) -> Iterator[list]:
    """Gate the gradient at every ReLU of the network while the context lasts.

    Yields the handles of the tensor hooks; the caller removes them once the guided derivative is taken.
    """
    gradient_handles: list = []

    def gate(preactivation: torch.Tensor) -> torch.Tensor:
        smooth = activation == "softplus"
        output = _Softplus.apply(preactivation, beta) if smooth else functional.relu(preactivation)
        if output.requires_grad:
            gradient_handles.append(output.register_hook(functional.relu))
        return output

    rectifiers = [module for module in network.modules() if isinstance(module, nn.ReLU)]
    if not rectifiers or any(module.inplace for module in rectifiers):
        raise InputError("guided back-propagation needs a network with nn.ReLU modules that do not work in place.")
    for module in rectifiers:
        module.forward = gate
    try:
        yield gradient_handles
    finally:
        for module in rectifiers:
            del module.forward
        for handle in gradient_handles:
            handle.remove()


class _Softplus(torch.autograd.Function):
    """log(1 + exp(beta z)) / beta. Its derivatives share one sigmoid; torch's take the exponential anew each time."""

    @staticmethod
    def forward(context, preactivation: torch.Tensor, beta: float) -> torch.Tensor:
        context.beta = beta
        context.save_for_backward(preactivation, (beta * preactivation).sigmoid_())
        return functional.softplus(preactivation, beta=beta)

    @staticmethod
    def backward(context, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        return _SoftplusGradient.apply(gradient, *context.saved_tensors, context.beta), None


class _SoftplusGradient(torch.autograd.Function):
    """g s(z) with s(z) = sigmoid(beta z), given; s' = beta s (1 - s)."""

    @staticmethod
    def forward(context, gradient: torch.Tensor, preactivation: torch.Tensor, slope: torch.Tensor, beta: float) -> torch.Tensor:
        context.beta = beta
        context.save_for_backward(gradient, slope)
        return gradient * slope

    @staticmethod
    @once_differentiable
    def backward(context, outer: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None, None]:
        gradient, slope = context.saved_tensors
        inner = outer * slope
        curvature = (inner * gradient).mul_(context.beta)
        return inner, curvature.addcmul_(curvature, slope, value=-1), None, None

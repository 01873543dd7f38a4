"""Guided back-propagation (Eq. 2 of the paper), with maps that can be differentiated for the feature preserving loss."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

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
    """Guided back-propagation maps of a network, which show the pixels that contribute to its output.

    The map is the gradient of a scalar function of the output with respect to the images, except that at each ReLU the
    gradient passes only where it is positive and the unit is active (Springenberg et al. 2015; Eq. 2 of the paper). Batch
    norm uses its running statistics, so that the map of an image does not depend on the rest of the batch.

    A ReLU network is piecewise linear. The derivative of its `sum` map is therefore zero almost everywhere, and so is the
    gradient of any loss on that map. With `softplus`, each ReLU of the network is replaced by the smooth function
    log(1 + exp(beta z)) / beta (Dombrowski et al. 2019), while the gate on the incoming gradient remains a ReLU. The map is
    nearly the same, but has a useful derivative.

    Args:
        network: maps (N, 1, H, W) to (N, 1, H, W); its activations are nn.ReLU modules with inplace=False.
        images: floating point (N, 1, H, W) in [0, 1], on the device of the network.
        readout: the scalar that is explained: the `sum` of the output, `half_square` (half its squared norm) or
            `sigmoid_sum` (the sum of its sigmoid, after Eq. 1 of the paper).
        activation: `softplus`, or `relu` as published.
        beta: sharpness of the softplus, > 0; the larger, the closer to the ReLU.
        create_graph: whether the maps are to be differentiable with respect to the images.

    Returns:
        Maps (N, 1, H, W) of the dtype of the images, detached unless `create_graph` is true.

    Raises:
        InputError: the images are not a floating point tensor (N, 1, H, W), the network has no suitable ReLU modules, the
            readout or activation is unknown, or beta is not positive.
    """
    _check_arguments(network, images)
    check_explanation(readout, activation, beta)
    if not (create_graph and images.requires_grad):
        images = images.detach().requires_grad_()
    with torch.enable_grad(), _evaluation(network), _guided(network, activation, beta) as gradient_handles:
        scalar = READOUTS[readout](network(images))
        try:
            (maps,) = torch.autograd.grad(scalar, images, create_graph=create_graph)
        finally:
            # The guided rule applies to this derivative only. If they stayed, the tensor hooks would clamp the gradients
            # of a later loss.backward() as well, which would then be wrong.
            for handle in gradient_handles:
                handle.remove()
    return maps


def _check_arguments(network: nn.Module, images: torch.Tensor) -> None:
    if not isinstance(network, nn.Module):
        raise InputError(f"The first argument must be a network (torch.nn.Module), not {type(network).__name__}.")
    if not isinstance(images, torch.Tensor):
        raise InputError(
            f"The images must be a torch tensor, not {type(images).__name__}; convert 8-bit images (N, H, W) with "
            "torch.from_numpy(images).unsqueeze(1).float() / 255."
        )
    if images.ndim != 4 or images.shape[1] != 1:
        raise InputError(
            f"The images have shape {tuple(images.shape)}, but must have shape (N, 1, H, W); images (N, H, W) need unsqueeze(1)."
        )
    if not images.is_floating_point():
        raise InputError(f"The images are {images.dtype}, but must be floating point in [0, 1]: use images.float() / 255.")


def check_explanation(readout: str, activation: str, beta: float) -> None:
    """Raise InputError unless guided_backprop knows the readout and the activation, and beta is positive and finite."""
    if readout not in READOUTS:
        raise InputError(f"The readout {readout!r} is not known: {nearest(readout, READOUTS)}")
    if activation not in ACTIVATIONS:
        raise InputError(f"The activation {activation!r} is not known: {nearest(activation, ACTIVATIONS)}")
    if not 0 < beta < float("inf"):
        raise InputError(f"beta is {beta}; the sharpness of the softplus must be positive and finite.")


@contextmanager
def _evaluation(network: nn.Module) -> Iterator[None]:
    """Put all modules into evaluation mode, and restore the mode of each at the end."""
    modes = {module: module.training for module in network.modules()}
    network.eval()
    try:
        yield
    finally:
        for module, training in modes.items():
            module.training = training


@contextmanager
def _guided(network: nn.Module, activation: str, beta: float) -> Iterator[list]:
    """Gate the gradient at each ReLU of the network within this context.

    Yields the handles of the tensor hooks, which the caller removes once the guided derivative is computed.
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
        raise InputError("Guided back-propagation needs a network that has nn.ReLU modules, all of them with inplace=False.")
    for module in rectifiers:
        module.forward = gate  # type: ignore[method-assign, assignment]
    try:
        yield gradient_handles
    finally:
        for module in rectifiers:
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

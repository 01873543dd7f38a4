"""Guided back-propagation (Eq. 2 of the paper), with maps that can be differentiated for the feature preserving loss."""

from typing import TYPE_CHECKING

import torch
from torch import nn

from fplbench.errors import InputError, nearest
from fplbench.explaining.levels import at_level
from fplbench.explaining.rectifiers import evaluation, rectifiers

if TYPE_CHECKING:
    from fplbench.explaining.options import ExplanationOptions

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
    return gradient_maps(network, images, readout, activation, beta, create_graph, guided=True)


def gradient_maps(
    network: nn.Module,
    images: torch.Tensor,
    readout: str,
    activation: str,
    beta: float,
    create_graph: bool = False,
    guided: bool = False,
) -> torch.Tensor:
    """The gradient of a scalar of a network's output with respect to the images, guided or plain.

    The arguments, result and errors are those of `guided_backprop`; without `guided`, the ReLUs pass every gradient.
    """
    check_network(network)
    check_images(images)
    check_explanation(readout, activation, beta)
    if not (create_graph and images.requires_grad):
        images = images.detach().requires_grad_()
    with torch.enable_grad(), evaluation(network), rectifiers(network, activation, beta, guided) as gradient_handles:
        scalar = READOUTS[readout](network(images))
        try:
            (maps,) = torch.autograd.grad(scalar, images, create_graph=create_graph)
        finally:
            # The guided rule applies to this derivative only. If they stayed, the tensor hooks would clamp the gradients
            # of a later loss.backward() as well, which would then be wrong.
            for handle in gradient_handles:
                handle.remove()
    return maps


def explained_gradient(
    network: nn.Module | None, images: torch.Tensor, options: "ExplanationOptions", create_graph: bool, guided: bool = False
) -> torch.Tensor:
    """`gradient_maps` as the options of an explanation have them: of the output, or of a level of the encoder."""
    assert network is not None
    explained = at_level(network, options.level)
    return gradient_maps(explained, images, options.readout, options.activation, options.beta, create_graph, guided)


def check_network(network: nn.Module) -> None:
    """Raise InputError unless this is a network."""
    if not isinstance(network, nn.Module):
        raise InputError(f"The first argument must be a network (torch.nn.Module), not {type(network).__name__}.")


def check_images(images: torch.Tensor) -> None:
    """Raise InputError unless these are images that can be explained: a floating point tensor (N, 1, H, W)."""
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

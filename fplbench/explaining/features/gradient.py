"""The plain gradient of a network's output, or of a level of its encoder."""

from typing import TYPE_CHECKING

from fplbench.explaining.registry import curved, feature

if TYPE_CHECKING:
    import torch
    from torch import nn

    from fplbench.explaining.options import ExplanationOptions


@feature(
    "gradient",
    title="Plain gradient",
    options=("network", "readout", "activation", "beta", "level"),
    equation="F = ds/dx",
    cites="simonyan2014",
    has_gradient=curved,
)
def gradient(
    network: "nn.Module | None", images: "torch.Tensor", options: "ExplanationOptions", create_graph: bool
) -> "torch.Tensor":
    """The gradient with its sign, often called saliency, without the gates of guided back-propagation."""
    from fplbench.explaining.guided import explained_gradient

    return explained_gradient(network, images, options, create_graph)

"""Guided back-propagation, of the output or of a level of the encoder."""

from typing import TYPE_CHECKING

from fplbench.explaining.registry import curved, feature

if TYPE_CHECKING:
    import torch
    from torch import nn

    from fplbench.explaining.options import ExplanationOptions


@feature(
    "guided",
    title="Guided back-propagation",
    options=("network", "readout", "activation", "beta", "level"),
    equation="F = ds/dx, where each ReLU passes only positive gradients, and only if the unit is active",
    cites="springenberg2015",
    has_gradient=curved,
)
def guided(
    network: "nn.Module | None", images: "torch.Tensor", options: "ExplanationOptions", create_graph: bool
) -> "torch.Tensor":
    """Guided back-propagation maps (Eq. 2 of the paper), of the network's output or of a level of its encoder."""
    from fplbench.explaining.guided import explained_gradient

    return explained_gradient(network, images, options, create_graph, guided=True)

"""Integrated gradients: the gradient averaged along the path from a black image."""

from typing import TYPE_CHECKING

from fplbench.explaining.registry import feature

if TYPE_CHECKING:
    import torch
    from torch import nn

    from fplbench.explaining.options import ExplanationOptions


@feature(
    "integrated_gradients",
    title="Integrated gradients",
    options=("network", "readout", "activation", "beta", "level", "samples"),
    equation="F = x times the mean over k = 1 to samples of ds/dx at x (k - 1/2) / samples",
    cites="sundararajan2017",
    # Also with relu and sum: F is piecewise linear, because it is the gradient times the image.
)
def integrated_gradients(
    network: "nn.Module | None", images: "torch.Tensor", options: "ExplanationOptions", create_graph: bool
) -> "torch.Tensor":
    """How much each pixel changes the readout on the way from a black image, by the midpoint rule."""
    import torch

    from fplbench.explaining.guided import explained_gradient

    total = torch.zeros_like(images)
    for step in range(options.samples):
        between = images * ((step + 0.5) / options.samples)
        total = total + explained_gradient(network, between, options, create_graph)
    return images * total / options.samples

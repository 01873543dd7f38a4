"""SmoothGrad: the gradient averaged over noisy copies of the image."""

from typing import TYPE_CHECKING

from fplbench.explaining.registry import curved, feature

if TYPE_CHECKING:
    import torch
    from torch import nn

    from fplbench.explaining.options import ExplanationOptions


@feature(
    "smoothgrad",
    title="SmoothGrad",
    options=("network", "readout", "activation", "beta", "level", "samples", "spread"),
    equation="F = mean over k = 1 to samples of ds/dx at x + spread e_k, e_k of N(0, 1)",
    cites="smilkov2017",
    has_gradient=curved,  # with the same e_k in every call, it is a sum of gradients
)
def smoothgrad(
    network: "nn.Module | None", images: "torch.Tensor", options: "ExplanationOptions", create_graph: bool
) -> "torch.Tensor":
    """The mean of the gradients at noisy copies of the image. The noise is the same for all images and calls."""
    import torch

    from fplbench.explaining.guided import explained_gradient

    # Drawn on the processor, so that it does not depend on the device.
    generator = torch.Generator().manual_seed(0)
    total = torch.zeros_like(images)
    for _ in range(options.samples):
        noise = torch.randn(1, *images.shape[1:], generator=generator).to(images)
        noisy = images + options.spread * noise
        total = total + explained_gradient(network, noisy, options, create_graph)
    return total / options.samples

"""Image gradients, a control that explains no network."""

from typing import TYPE_CHECKING

from fplbench.explaining.registry import feature

if TYPE_CHECKING:
    import torch
    from torch import nn

    from fplbench.explaining.options import ExplanationOptions


@feature(
    "sobel",
    title="Image gradients (Sobel)",
    options=(),
    equation="F = (x * S, x * S^T), S = [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]] / 8, a correlation of the reflected image",
    cites="sobel1968",
)
def sobel(
    network: "nn.Module | None", images: "torch.Tensor", options: "ExplanationOptions", create_graph: bool
) -> "torch.Tensor":
    """The horizontal and the vertical gradient of the image itself, per pixel: a control."""
    import torch
    from torch.nn import functional

    horizontal = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]]) / 8
    kernels = torch.stack([horizontal, horizontal.T]).unsqueeze(1).to(images)
    return functional.conv2d(functional.pad(images, (1, 1, 1, 1), mode="reflect"), kernels)

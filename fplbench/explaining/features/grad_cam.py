"""Grad-CAM of a level of the encoder."""

from typing import TYPE_CHECKING

from fplbench.explaining.registry import feature

if TYPE_CHECKING:
    import torch
    from torch import nn

    from fplbench.explaining.options import ExplanationOptions


@feature(
    "grad_cam",
    title="Grad-CAM",
    options=("network", "readout", "activation", "beta", "level"),
    equation="F = ReLU(sum over c of w_c A_c), w_c = mean over pixels of ds/dA_c, enlarged bilinearly to the image",
    cites="selvaraju2017",
    level=4,
    # Also with relu and sum: w is piecewise constant, but A is not.
)
def grad_cam(
    network: "nn.Module | None", images: "torch.Tensor", options: "ExplanationOptions", create_graph: bool
) -> "torch.Tensor":
    """Where features of a level raise the readout of the network's output (Grad-CAM).

    The map of an image whose features all lower it is zero everywhere.
    """
    import torch
    from torch.nn import functional

    from fplbench.explaining.guided import READOUTS
    from fplbench.explaining.levels import kept_features
    from fplbench.explaining.rectifiers import evaluation, rectifiers

    assert network is not None and options.level is not None
    size = images.shape[2:]
    if not (create_graph and images.requires_grad):
        images = images.detach().requires_grad_()
    with torch.enable_grad(), evaluation(network), rectifiers(network, options.activation, options.beta, guided=False):
        with kept_features(network, options.level) as kept:
            scalar = READOUTS[options.readout](network(images))
        (features,) = kept
        (slopes,) = torch.autograd.grad(scalar, features, create_graph=create_graph)
    coarse = (slopes.mean(dim=(2, 3), keepdim=True) * features).sum(dim=1, keepdim=True).relu()
    return functional.interpolate(coarse, size=size, mode="bilinear", align_corners=False)

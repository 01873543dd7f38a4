"""The features of a level of the encoder, as they are."""

from typing import TYPE_CHECKING

from fplbench.explaining.registry import feature

if TYPE_CHECKING:
    import torch
    from torch import nn

    from fplbench.explaining.options import ExplanationOptions


@feature(
    "encoder",
    title="Encoder features",
    options=("network", "level"),
    equation="F_c = A_c, the channels of a level after its last ReLU",
    cites="johnson2016",
    level=0,
)
def encoder(
    network: "nn.Module | None", images: "torch.Tensor", options: "ExplanationOptions", create_graph: bool
) -> "torch.Tensor":
    """The channels of a level of the encoder, as in perceptual losses."""
    from fplbench.explaining.levels import Encoder
    from fplbench.explaining.rectifiers import evaluation

    assert network is not None and options.level is not None
    with evaluation(network):
        return Encoder(network, options.level)(images)

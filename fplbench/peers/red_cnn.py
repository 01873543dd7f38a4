"""RED-CNN (Chen et al., "Low-Dose CT with a Residual Encoder-Decoder Convolutional Neural Network", 2017)."""

from typing import TYPE_CHECKING

from pydantic import Field

from fplbench.options import Options
from fplbench.peers.registry import peer

if TYPE_CHECKING:
    from torch import nn

SMALL = {"width": 16, "layers": 3}


class RedCnnOptions(Options):
    """Options of RED-CNN."""

    width: int = Field(96, ge=1, description="Channels of each layer but the last.")
    layers: int = Field(5, ge=1, description="Convolutions, and as many transposed convolutions.")


@peer(
    "red_cnn",
    label="RED-CNN",
    cites="chen2017",
    options=RedCnnOptions,
    output="image",
    training={"learning_rate": 1e-4, "final_rate": 0.1},
    small=SMALL,
)
def red_cnn(options: RedCnnOptions) -> "nn.Module":
    """Convolutions of 5x5 pixels, as many transposed ones, and shortcuts between them (Chen et al. 2017)."""
    from fplbench.networks.red_cnn import RedCnn

    return RedCnn(options.width, options.layers)

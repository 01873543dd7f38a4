"""DnCNN (Zhang et al., "Beyond a Gaussian Denoiser: Residual Learning of Deep CNN for Image Denoising", 2017)."""

from typing import TYPE_CHECKING

from pydantic import Field

from fplbench.options import Options
from fplbench.peers.registry import peer

if TYPE_CHECKING:
    from torch import nn

SMALL = {"width": 24, "layers": 6}


class DncnnOptions(Options):
    """Options of DnCNN."""

    width: int = Field(64, ge=1, description="Channels of each layer but the last.")
    layers: int = Field(17, ge=2, description="Convolutions.")
    batch_norm: bool = Field(True, description="Batch norm in each layer but the first and the last.")


@peer("dncnn", label="DnCNN", cites="zhang2017", options=DncnnOptions, output="noise", small=SMALL)
def dncnn(options: DncnnOptions) -> "nn.Module":
    """Convolutions of 3x3 pixels with batch norm that predict the noise (Zhang et al. 2017)."""
    from fplbench.networks.dncnn import DnCnn

    return DnCnn(options.width, options.layers, options.batch_norm)

"""SwinIR (Liang et al., "SwinIR: Image Restoration Using Swin Transformer", 2021), from spandrel."""

from typing import TYPE_CHECKING, Self

from pydantic import Field, model_validator

from fplbench.options import Options
from fplbench.peers.registry import peer

if TYPE_CHECKING:
    from torch import nn

WINDOW = 8
SMALL = {"width": 16, "groups": 1, "depth": 2, "heads": 2}


class SwinirOptions(Options):
    """Options of SwinIR."""

    width: int = Field(180, ge=1, description="Channels.")
    groups: int = Field(6, ge=1, description="Residual groups of transformer layers.")
    depth: int = Field(6, ge=1, description="Transformer layers of each group.")
    heads: int = Field(6, ge=1, description="Attention heads of each layer; they divide the channels.")

    @model_validator(mode="after")
    def _heads_divide(self) -> Self:
        if self.width % self.heads:
            raise ValueError(f"heads is {self.heads}, which does not divide width, {self.width}.")
        return self


@peer(
    "swinir",
    label="SwinIR",
    cites="liang2021",
    options=SwinirOptions,
    output="image",
    multiple=WINDOW,
    extra="networks",
    requires=("spandrel", "torchvision"),
    training={"learning_rate": 2e-4, "loss": "absolute"},
    small=SMALL,
)
def swinir(options: SwinirOptions) -> "nn.Module":
    """Transformer with attention in windows of 8x8 pixels that shift (Liang et al. 2021), as spandrel has it."""
    from spandrel.architectures.SwinIR import SwinIR

    return SwinIR(
        img_size=128,
        in_chans=1,
        embed_dim=options.width,
        depths=[options.depth] * options.groups,
        num_heads=[options.heads] * options.groups,
        window_size=WINDOW,
        mlp_ratio=2,
        # Drawn from torch's global generator: a resumed training would draw others.
        drop_path_rate=0.0,
        upscale=1,
        upsampler="",
        resi_connection="1conv",
    )

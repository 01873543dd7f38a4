"""NAFNet (Chen et al., "Simple Baselines for Image Restoration", 2022), from spandrel."""

from typing import TYPE_CHECKING, Self

from pydantic import Field, model_validator

from fplbench.options import Options
from fplbench.peers.registry import peer

if TYPE_CHECKING:
    from torch import nn

SMALL = {"width": 8, "encoder": [1, 1, 1], "middle": 1, "decoder": [1, 1, 1]}


class NafnetOptions(Options):
    """Options of NAFNet; the default blocks are those of its authors' network for denoising photographs (SIDD)."""

    width: int = Field(32, ge=1, description="Channels of the first level; each further level has twice as many.")
    encoder: list[int] = Field([2, 2, 4, 8], max_length=4, description="Blocks of each level on the way down.")
    middle: int = Field(12, ge=0, description="Blocks of the coarsest level.")
    decoder: list[int] = Field([2, 2, 2, 2], max_length=4, description="Blocks of each level on the way up.")

    @model_validator(mode="after")
    def _levels_agree(self) -> Self:
        if len(self.encoder) != len(self.decoder):
            raise ValueError(f"encoder has {len(self.encoder)} levels and decoder {len(self.decoder)}: give both for each level.")
        return self


@peer(
    "nafnet",
    label="NAFNet",
    cites="chen2022",
    options=NafnetOptions,
    output="image",
    multiple=16,
    extra="networks",
    requires=("spandrel", "torchvision"),
    training={"learning_rate": 1e-3},
    small=SMALL,
)
def nafnet(options: NafnetOptions) -> "nn.Module":
    """U-shaped network of gated convolutions without other nonlinearities (Chen et al. 2022), as spandrel has it."""
    from spandrel.architectures.NAFNet import NAFNet

    return NAFNet(
        img_channel=1,
        width=options.width,
        middle_blk_num=options.middle,
        enc_blk_nums=options.encoder,
        dec_blk_nums=options.decoder,
    )

"""Restormer (Zamir et al., "Restormer: Efficient Transformer for High-Resolution Image Restoration", 2022), from MONAI."""

from typing import TYPE_CHECKING, Self

from pydantic import Field, model_validator

from fplbench.options import Options
from fplbench.peers.registry import peer

if TYPE_CHECKING:
    from torch import nn

SMALL = {"width": 8, "blocks": [1, 1], "heads": [1, 2], "refinement": 0, "expansion": 2.0}


class RestormerOptions(Options):
    """Options of Restormer."""

    width: int = Field(48, ge=2, multiple_of=2, description="Channels of the first level; each further level has twice as many.")
    blocks: list[int] = Field([4, 6, 6, 8], min_length=2, max_length=4, description="Transformer blocks of each level.")
    heads: list[int] = Field([1, 2, 4, 8], min_length=2, max_length=4, description="Attention heads of each level.")
    refinement: int = Field(4, ge=0, description="Transformer blocks after the last level.")
    expansion: float = Field(2.66, gt=0, le=16, description="Hidden channels of the feed-forward layers, as a multiple.")

    @model_validator(mode="after")
    def _levels_agree(self) -> Self:
        if len(self.blocks) != len(self.heads):
            raise ValueError(f"blocks has {len(self.blocks)} levels and heads {len(self.heads)}: give both for each level.")
        for level, (blocks, heads) in enumerate(zip(self.blocks, self.heads, strict=True)):
            if blocks < 1 or heads < 1 or self.width * 2**level % heads:
                raise ValueError(
                    f"level {level + 1} has {blocks} blocks, {heads} heads and {self.width * 2**level} channels: it needs a "
                    "block, and heads that divide the channels."
                )
        return self


@peer(
    "restormer",
    label="Restormer",
    cites="zamir2022",
    options=RestormerOptions,
    output="noise",
    multiple=16,  # eight for four levels, and MONAI wants sides of more than eight
    extra="restormer",
    requires=("monai", "einops"),
    training={"learning_rate": 3e-4, "final_rate": 1 / 300, "loss": "absolute"},
    small=SMALL,
)
def restormer(options: RestormerOptions) -> "nn.Module":
    """Transformer whose attention is between channels, in a U-shape (Zamir et al. 2022), as MONAI has it."""
    from monai.networks.nets.restormer import Restormer
    from torch import nn

    network = Restormer(
        spatial_dims=2,
        in_channels=1,
        out_channels=1,
        dim=options.width,
        num_blocks=tuple(options.blocks),
        heads=tuple(options.heads),
        num_refinement_blocks=options.refinement,
        ffn_expansion_factor=options.expansion,
    )
    # Zero at first, as FPL's: the denoiser starts as the identity. What the network returns is the published network's without
    # the image that it adds at its end, which MONAI leaves out.
    for parameter in network.output.parameters():
        nn.init.zeros_(parameter)
    return network

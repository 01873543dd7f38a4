"""DPIR: for denoising, one pass of DRUNet with a map of the noise level."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from fplbench.denoising.learned import LearnedOptions, load_weights, run_network
from fplbench.denoising.noise_level import estimate_noise
from fplbench.denoising.registry import method

if TYPE_CHECKING:
    from torch import Tensor

    from fplbench.networks.drunet import DRUNet

MULTIPLE = 8  # DRUNet halves the resolution three times

Level = Annotated[float, Field(ge=0, le=255, allow_inf_nan=False)]
GRID = {"level": [2, 5, 10, 15, 20, 25, 30, 40, 50, "estimate"]}


class DpirOptions(LearnedOptions):
    """Options of DPIR."""

    weights: Path | None = Field(None, description="Weight file of DRUNet; `fplbench fetch drunet` gets the published one.")
    level: Level | Literal["estimate"] = Field(
        15.0,
        description="Noise level that the network is given, grey levels; or 'estimate': estimated from each image.",
    )
    x8: bool = Field(False, description="Average over the eight flips and rotations.")


@method("dpir", label="DPIR", cites="zhang2021", options=DpirOptions, group="networks", weights="drunet", grid=GRID)
def dpir(noisy: np.ndarray, options: DpirOptions) -> tuple[np.ndarray, dict[str, Sequence]]:
    """One pass of DRUNet with a constant noise level map (Zhang et al. 2021); keeps the level used as `dpir_level`."""
    import torch

    from fplbench.networks.drunet import DRUNet

    source = "the weight file of DRUNet, which `fplbench fetch drunet` gets"
    network = load_weights(options, "dpir", DRUNet, source=source)
    device = next(network.parameters()).device
    levels = noise_levels(noisy, options.level)
    level_maps = torch.tensor(levels, dtype=torch.float32, device=device).view(-1, 1, 1, 1) / 255
    denoised = run_network(
        noisy, options, lambda part, images, _: _denoise(network, images, level_maps[part], options.x8), device, MULTIPLE
    )
    return denoised, {"dpir_level": [round(level, 3) for level in levels]}


def noise_levels(noisy: np.ndarray, level: float | str) -> list[float]:
    """The level of each image, grey levels: the given one, or estimated from the image."""
    if level == "estimate":
        scale = 1 if noisy.dtype == np.uint8 else 255
        return [estimate_noise(scale * image) for image in noisy]
    return [float(level)] * len(noisy)


def _denoise(network: "DRUNet", images: "Tensor", level_map: "Tensor", x8: bool) -> "Tensor":
    """One pass, or the mean of the eight passes over the flipped and rotated images, each turned back."""
    if not x8:
        return network(images, level_map)
    total = images.new_zeros(())
    for turns in range(4):
        for flip in (False, True):
            turned = images.rot90(turns, (2, 3))
            denoised = network(turned.flip(3) if flip else turned, level_map)
            total = total + (denoised.flip(3) if flip else denoised).rot90(-turns, (2, 3))
    return total / 8

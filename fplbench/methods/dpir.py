"""DPIR: for denoising, one pass of DRUNet with a map of the noise level."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from fplbench.denoising.noise_level import estimate_noise
from fplbench.denoising.registry import method
from fplbench.device import Device
from fplbench.errors import InputError
from fplbench.networks.inference import load_network, pad_to_multiple, to_tensor, to_uint8
from fplbench.options import Options
from fplbench.stacks import iterate

if TYPE_CHECKING:
    from torch import Tensor

    from fplbench.networks.drunet import DRUNet

MULTIPLE = 8  # DRUNet halves the resolution three times

Level = Annotated[float, Field(ge=0, le=255, allow_inf_nan=False)]
GRID = {"level": [2, 5, 10, 15, 20, 25, 30, 40, 50, "estimate"]}


class DpirOptions(Options):
    """Options of DPIR."""

    weights: Path | None = Field(None, description="Weight file of DRUNet; `fplbench fetch drunet` gets the published one.")
    level: Level | Literal["estimate"] = Field(
        15.0,
        description="Noise level that the network is given, grey levels; or 'estimate': estimated from each image.",
    )
    x8: bool = Field(False, description="Average over the eight flips and rotations.")
    tile: int = Field(512, ge=64, description="Largest side that is denoised in one piece, pixels; larger images are tiled.")
    overlap: int = Field(64, ge=0, description="Pixels that neighbouring tiles share, at most half a tile.")
    device: Device = Field("auto", description="Where to compute.")
    batch: int = Field(4, ge=1, description="Images in each pass on a GPU; on the CPU it is always one.")

    @model_validator(mode="after")
    def _overlap_fits(self) -> "DpirOptions":
        if self.overlap > self.tile // 2:
            raise ValueError(f"overlap is {self.overlap}: it can be at most half of tile, {self.tile}.")
        return self


@method("dpir", label="DPIR", cites="zhang2021", options=DpirOptions, group="networks", weights="drunet", grid=GRID)
def dpir(noisy: np.ndarray, options: DpirOptions) -> tuple[np.ndarray, dict[str, Sequence]]:
    """One pass of DRUNet with a constant noise level map (Zhang et al. 2021); keeps the level used as `dpir_level`."""
    import torch

    from fplbench.networks.drunet import DRUNet

    if options.weights is None:
        raise InputError(
            "The method 'dpir' needs its option weights: the weight file of DRUNet, which `fplbench fetch drunet` gets."
        )
    network = load_network(options.weights, DRUNet, options.device)
    device = next(network.parameters()).device
    levels = noise_levels(noisy, options.level)
    denoised = np.empty_like(noisy)
    size = options.batch if device.type == "cuda" else 1  # on the CPU, several at once take longer for each image
    with torch.inference_mode():
        for batch in iterate(noisy, size):
            level_map = torch.tensor(levels[batch], dtype=torch.float32, device=device).view(-1, 1, 1, 1) / 255
            denoised[batch] = _denoise_any_size(network, noisy[batch], level_map, options)
    return denoised, {"dpir_level": [round(level, 3) for level in levels]}


def noise_levels(noisy: np.ndarray, level: float | str) -> list[float]:
    """The level of each image, grey levels: the given one, or estimated from the image."""
    if level == "estimate":
        return [estimate_noise(image) for image in noisy]
    return [float(level)] * len(noisy)


def _denoise_any_size(network: "DRUNet", noisy: np.ndarray, level_map: "Tensor", options: DpirOptions) -> np.ndarray:
    """Denoise images of any size: padded by reflection to what the network accepts, in overlapping tiles if large."""
    height, width = noisy.shape[1:]
    images = to_tensor(pad_to_multiple(noisy, MULTIPLE), level_map.device)
    denoised = _denoise_tiles(lambda tile: _denoise_tile(network, tile, level_map, options.x8), images, options)
    return to_uint8(denoised)[:, :height, :width]


def _denoise_tile(network: "DRUNet", images: "Tensor", level_map: "Tensor", x8: bool) -> "Tensor":
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


def _denoise_tiles(denoise: "Callable[[Tensor], Tensor]", images: "Tensor", options: DpirOptions) -> "Tensor":
    """Denoise in tiles of at most `tile` pixels a side; where two overlap, each gives the half nearer its centre."""
    import torch

    size = options.tile // MULTIPLE * MULTIPLE
    rows, columns = (tile_places(side, size, options.overlap) for side in images.shape[2:])
    denoised = torch.empty_like(images)
    for top, bottom, first_row, last_row in rows:
        for left, right, first_column, last_column in columns:
            tile = denoise(images[:, :, top:bottom, left:right])
            kept = tile[:, :, first_row - top : last_row - top, first_column - left : last_column - left]
            denoised[:, :, first_row:last_row, first_column:last_column] = kept
    return denoised


def tile_places(side: int, size: int, overlap: int) -> list[tuple[int, int, int, int]]:
    """Where tiles lie along one side: begin and end of each, then begin and end of the part of it that is kept."""
    if side <= size:
        return [(0, side, 0, side)]
    step = max(size - overlap, MULTIPLE) // MULTIPLE * MULTIPLE
    begins = [*range(0, side - size, step), side - size]
    seams = [(left + size + right) // 2 for left, right in pairwise(begins)]
    kept = zip([0, *seams], [*seams, side], strict=True)
    return [(begin, begin + size, first, last) for begin, (first, last) in zip(begins, kept, strict=True)]

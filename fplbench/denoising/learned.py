"""Denoising with a trained network, whatever it is: its weights, its batches, images of any size."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from pydantic import Field, PrivateAttr, model_validator

from fplbench.denoising.registry import METHODS
from fplbench.device import Device, in_memory
from fplbench.errors import InputError
from fplbench.networks.inference import load_network, pad_to_multiple, to_images, to_tensor
from fplbench.networks.tiles import OVERLAP, TILE
from fplbench.options import Options
from fplbench.stacks import iterate

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from fplbench.networks.tiles import Place


PIXEL_BYTES = 4096
"""Memory that a network is assumed to need for each pixel. On the CPU, a U-Net of width 64 needs 1600 and a DRUNet 1500; the
kernels of a GPU may take as much again."""


class LearnedOptions(Options):
    """Options of every method that is a trained network."""

    weights: Path | None = Field(None, description="Weight file of the trained network; set by the workflow.")
    device: Device = Field("auto", description="Where to compute.")
    batch: int | None = Field(
        None,
        ge=1,
        description="Images in each pass on a GPU, halved where memory runs out; null: 16, or as many as there is likely to be "
        "memory for. On the CPU it is always one.",
    )
    tile: int = Field(TILE, ge=64, description="Largest side that is denoised in one piece, pixels; larger images are tiled.")
    overlap: int = Field(OVERLAP, ge=0, description="Pixels that neighbouring tiles share, at most three quarters of a tile.")

    _network: Any = PrivateAttr(None)  # that of the weights, once it is loaded
    _fitting: int | None = PrivateAttr(None)  # the images for which there was memory at once, where it has run out

    @model_validator(mode="after")
    def _overlap_fits(self) -> Self:
        if self.overlap > self.tile * 3 // 4:
            raise ValueError(f"overlap is {self.overlap}: it can be at most three quarters of tile, {self.tile}.")
        return self


def run_denoiser(
    noisy: np.ndarray,
    options: LearnedOptions,
    method: str,
    network: type | str,
    output: Literal["image", "noise"],
    multiple: int = 1,
) -> np.ndarray:
    """Denoise with a network that maps images (N, 1, H, W) to images, or to their noise.

    Args:
        noisy: uint8 (N, H, W), or float32 in [0, 1].
        options: weights, device, batch and tiles.
        method: name of the method, for messages.
        network: the class that the network of the weight file must have, or the name of the peer that it must be.
        output: what the network returns: the denoised image, or the noise that is subtracted.
        multiple: sides of the network's images are multiples of this; smaller images are extended by reflection.

    Returns:
        Of the type and shape of `noisy`.

    Raises:
        InputError: no weights are given, or they are those of another network.
    """
    loaded = load_weights(options, method, network, output)

    from fplbench.networks.unet import UNet

    placed = isinstance(loaded, UNet)  # the one network whose result depends on where a tile lies

    def denoise(_: slice, images: "Tensor", place: "Place | None") -> "Tensor":
        found = loaded(images, place) if placed else loaded(images)
        return images - found if output == "noise" else found

    return run_network(noisy, options, denoise, next(loaded.parameters()).device, multiple)


def load_weights(options: LearnedOptions, method: str, network: type | str, output: str = "", source: str = "") -> Any:
    """The network of the option `weights`, on the option's device, in evaluation mode. The same options load it once.

    Args:
        options: weights and device.
        method: name of the method, for messages.
        network: the class that the network must have, or the name of the peer that it must be.
        output: what it must return, image or noise; empty: it is not checked.
        source: where the weights come from, for the message; empty: from the training that the method names.

    Raises:
        InputError: no weights are given, or they are those of another network.
    """
    if options.weights is None:
        source = source or f"a weight file that `fplbench train {METHODS[method].weights}` wrote"
        raise InputError(f"The method {method!r} needs its option weights: {source}.")
    if options._network is None:
        options._network = load_network(options.weights, network, options.device, output)
    return options._network


def run_network(
    noisy: np.ndarray,
    options: LearnedOptions,
    denoise: Callable[[slice, "Tensor", "Place | None"], "Tensor"],
    device: "torch.device",
    multiple: int = 1,
) -> np.ndarray:
    """Denoise images of any size in batches: extended by reflection to what a network accepts, in overlapping tiles if large.

    On the CPU, images go through the network one by one: several at once take no less time, and the result for an image then
    does not depend on the others. On a GPU the batch is halved where memory runs out, also for the images of later calls.

    Stacks are 8 bit. Scans at their own depth go through the same code as float32, and nothing is rounded.

    Args:
        noisy: uint8 (N, H, W), or float32 in [0, 1].
        options: batch and tiles.
        denoise: from the place of a batch in `noisy`, a tile of it (N, 1, H, W) in [0, 1], and where the tile lies in the
            image (None: it is the whole image), to the denoised tile.
        device: where `denoise` computes.
        multiple: sides of the tiles are multiples of this.

    Returns:
        Of the type and shape of `noisy`.
    """
    import torch

    from fplbench.networks.tiles import in_tiles

    height, width = noisy.shape[1:]
    denoised = np.empty_like(noisy)

    def attempt(batch: int) -> None:
        with torch.inference_mode():
            for part in iterate(noisy, batch):
                images = to_tensor(pad_to_multiple(noisy[part], multiple), device)
                found = in_tiles(partial(denoise, part), images, options.tile, options.overlap, multiple)
                denoised[part] = to_images(found[:, :, :height, :width], noisy.dtype)

    batch = _images_at_once(noisy, options, device)
    _, fitting = in_memory(attempt, batch, "Denoising")
    if fitting < batch:
        options._fitting = fitting
    return denoised


def _images_at_once(noisy: np.ndarray, options: LearnedOptions, device: "torch.device") -> int:
    """How many images to begin with: what has fitted before, what the option says, or what is likely to fit."""
    if device.type != "cuda":
        return 1
    import torch

    wanted = options._fitting or options.batch
    if wanted is None:
        free, _ = torch.cuda.mem_get_info(device)
        kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)  # by torch, for what comes next
        pixels = min(noisy.shape[1], options.tile) * min(noisy.shape[2], options.tile)
        wanted = max(1, (free + kept) // (pixels * PIXEL_BYTES))
    return max(1, min(wanted, len(noisy)))

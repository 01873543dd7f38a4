"""Sizes of weight files. Those of U-Nets and DRUNets follow from their widths, so that torch need not be loaded for them."""

from typing import TYPE_CHECKING

from fplbench.peers import PEERS, build

if TYPE_CHECKING:
    from fplbench.config.fits import Fit

NUMBER = 4  # bytes, float32
UNET_HEADER, HEADER = 12_500, 4_000  # bytes: names and places of the tensors, and what the network is; measured in the demo
U_NETS = ("fpl", "restoration", "residual_same_steps", "noise2void", "neighbor2neighbor", "lesion", "random")
DOWN, UP = ((1, 2), (2, 4), (4, 8), (8, 8)), ((16, 4), (8, 2), (4, 1), (2, 1))
"""Channels before and after the Down and Up modules of the U-Net, in multiples of its width."""


def weight_bytes(fit: "Fit") -> int:
    """The size of the weight file of a training; 0 for a training of your own, whose network is not known before it is built.

    Raises:
        InputError: a package that the network needs cannot be used.
    """
    name, options = fit.training.name, fit.options
    if name in U_NETS:
        return unet_bytes(options["width"]) + UNET_HEADER
    if name == "drunet":
        return drunet_bytes(options["width"], options["blocks"]) + HEADER
    if name in PEERS:
        return _peer_bytes(fit) + HEADER
    return 0


def unet_bytes(width: int) -> int:
    """Bytes of the numbers of `fplbench.networks.unet.UNet`, running means and variances of its batch norms among them."""
    down = [(1, width, width), *((outer * width, inner * width, inner * width) for outer, inner in DOWN)]
    up = [(inner * width, inner * width // 2, outer * width) for inner, outer in UP]
    numbers = sum(9 * (first * middle + middle * last) + 4 * (middle + last) for first, middle, last in down + up)
    counters = 2 * 8 * len(down + up)  # of the batches that each batch norm has seen, int64
    return NUMBER * (numbers + width + 1) + counters


def drunet_bytes(width: int, blocks: int) -> int:
    """Bytes of the numbers of `fplbench.networks.drunet.DRUNet`."""
    scales = [width, 2 * width, 4 * width]
    residual = sum(2 * blocks * 18 * scale**2 for scale in scales) + blocks * 18 * (8 * width) ** 2
    resampling = sum(2 * 8 * scale**2 for scale in scales)
    return NUMBER * (residual + resampling + 9 * width * 3)


def _peer_bytes(fit: "Fit") -> int:
    """Bytes of the numbers of a peer's network, which is built without data."""
    import torch

    own = PEERS[fit.training.name].options.model_fields
    with torch.device("meta"):
        network = build(fit.training.name, {name: fit.options[name] for name in own})
    return sum(tensor.numel() * tensor.element_size() for tensor in network.state_dict().values())

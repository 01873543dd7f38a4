"""An untrained network, to be explained as a control: its weights know nothing of images."""

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from fplbench.options import Options
from fplbench.training.registry import Inputs, training

if TYPE_CHECKING:
    import torch
    from torch import nn

IMAGES, CHUNK = 64, 16
"""Images that set the scale of the features, at most, and how many of them go through the network at once."""


class RandomOptions(Options):
    """Options of the network with random weights."""

    width: int = Field(64, ge=1, description="Channels of the network's first level; that of the network it is compared with.")


@training("random", options=RandomOptions, inputs=("clean",), per=("dataset",))
def random_network(inputs: Inputs, out: Path, options: RandomOptions, seed: int, device: str) -> None:
    """Write a U-Net with random weights, whose explanations are those of nothing: a control.

    Convolutions have the weights with which a training would begin. The batch norms of a new network have mean 0 and variance 1,
    so that its features would fade from layer to layer. Here they have the statistics of at most 64 clean images, spread evenly
    over the stack, so that features have mean 0 and variance 1 before each ReLU. That is all that the network takes from images.

    The log has one row: the mean and the standard deviation of the output for these images.
    """
    import torch

    from fplbench.device import choose_device
    from fplbench.files import file_hash, write_csv
    from fplbench.networks import weights
    from fplbench.networks.unet import UNet
    from fplbench.training import TRAINING_VERSION
    from fplbench.training.loop.run import load_images
    from fplbench.training.loop.tensors import as_images, seeded
    from fplbench.training.loop.validation import spread

    target = choose_device(device)
    stack = load_images(inputs["clean"], target)
    chosen = torch.from_numpy(spread(len(stack), IMAGES)).to(target)
    network = seeded(lambda: UNet(options.width), seed, target)
    chunks = [as_images(stack, part) for part in chosen.split(CHUNK)]
    set_statistics(network, chunks)
    with torch.inference_mode():
        output = torch.cat([network(chunk) for chunk in chunks])
    metadata = {
        "options": options.model_dump(),
        "output": "random",
        "seed": seed,
        "data": file_hash(inputs["clean"]),
        "training_version": TRAINING_VERSION,
    }
    weights.save(network, out, metadata)
    row = {"step": 0, "output_mean": float(output.mean()), "output_deviation": float(output.std(correction=0))}
    write_csv(out.with_suffix(".csv"), [row])


def set_statistics(network: "nn.Module", chunks: "list[torch.Tensor]") -> None:
    """Give the batch norms of a network the mean statistics of some images, and put it into evaluation mode.

    Args:
        network: a network from images (N, 1, H, W).
        chunks: the images in batches; each batch counts the same.
    """
    import torch
    from torch import nn

    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the mean over the batches, rather than one that forgets the first
    network.train()
    with torch.no_grad():
        for chunk in chunks:
            network(chunk)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    network.eval()

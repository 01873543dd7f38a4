"""The restoration network (section 3 of the paper), which is explained: it maps clean images to themselves."""

from pathlib import Path
from typing import TYPE_CHECKING

from fplbench.training.options import TrainingOptions
from fplbench.training.registry import Inputs, training

if TYPE_CHECKING:
    import torch
    from torch import nn

    from fplbench.training.loop.meter import Terms


@training("restoration", options=TrainingOptions, inputs=("clean",), per=("dataset",))
def restoration(inputs: Inputs, out: Path, options: TrainingOptions, seed: int, device: str) -> None:
    """Train a U-Net to give back the clean images of a data set."""
    from fplbench.device import choose_device
    from fplbench.networks.unet import UNet
    from fplbench.training.loop.run import load_images, run_training
    from fplbench.training.loop.tensors import seeded

    target = choose_device(device)
    images = load_images(inputs["clean"], target)
    network = seeded(lambda: UNet(options.width), seed, target)
    loss = RestorationLoss(network, images)
    files = [inputs["clean"]]
    run_training(network, loss, ["restoration"], len(images), options, files, out, seed, {"output": "image"})


class RestorationLoss:
    """Squared distance of the output from the clean image that went in."""

    def __init__(self, network: "nn.Module", clean: "torch.Tensor"):
        self.network, self.clean = network, clean

    def __call__(self, positions: "torch.Tensor", step: int) -> "Terms":
        """The terms for the images at some positions."""
        from fplbench.device import mixed_precision
        from fplbench.losses import residual_loss
        from fplbench.training.loop.tensors import as_images

        images = as_images(self.clean, positions)
        with mixed_precision(images.device):
            restored = self.network(images)
        return {"restoration": (residual_loss(restored.float(), images), 1.0)}

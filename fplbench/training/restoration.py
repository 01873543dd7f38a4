"""The restoration network (section 3 of the paper), which is explained: it maps clean images to themselves."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from fplbench.training.options import TrainingOptions
from fplbench.training.registry import Inputs, training

if TYPE_CHECKING:
    import torch
    from torch import nn

    from fplbench.training.loop.meter import Terms


log = logging.getLogger(__name__)


class RestorationOptions(TrainingOptions):
    """Options of the restoration network."""

    warn_below: float = Field(40.0, ge=0, description="Warn if the network restores validation images to a lower PSNR, dB.")


@training("restoration", options=RestorationOptions, inputs=("clean", "validation_clean"), per=("dataset",))
def restoration(inputs: Inputs, out: Path, options: RestorationOptions, seed: int, device: str) -> None:
    """Train a U-Net to give back the clean images of a data set."""
    from fplbench.device import choose_device
    from fplbench.networks.unet import UNet
    from fplbench.training.loop.run import load_images, run_training
    from fplbench.training.loop.tensors import seeded
    from fplbench.training.loop.validation import read_validation

    target = choose_device(device)
    images = load_images(inputs["clean"], target)
    network = seeded(lambda: UNet(options.width), seed, target)
    loss = RestorationLoss(network, images)
    validation = read_validation(inputs, network, network, options, noisy=False)
    record, files = {"output": "image"}, [inputs["clean"]]
    scores = run_training(network, loss, ["restoration"], len(images), options, files, out, seed, record, validation=validation)
    if scores and scores["psnr"] < options.warn_below:
        log.warning(
            "%s restores validation images to %.2f dB only, less than %g dB: what it explains says little; train it longer.",
            out, scores["psnr"], options.warn_below,
        )  # fmt: skip


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

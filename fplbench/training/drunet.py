"""DRUNet, the denoiser of DPIR (Zhang et al. 2021), trained on clean images alone."""

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from fplbench.training.options import TrainingOptions
from fplbench.training.registry import Inputs, training

if TYPE_CHECKING:
    import torch
    from torch import nn

    from fplbench.training.loop.meter import Terms


class DrunetOptions(TrainingOptions):
    """Options of DRUNet's training, after its authors' recipe: L1 loss, Adam at 1e-4, levels uniform in [0, 50]."""

    blocks: int = Field(4, ge=1, description="Residual blocks at each scale.")
    batch: int = Field(64, ge=1, description="Images in each step.")
    patch: int = Field(128, ge=8, multiple_of=8, description="Side of the random crops, pixels.")
    learning_rate: float = Field(1e-4, gt=0, allow_inf_nan=False, description="Peak learning rate of Adam.")
    steps: int = Field(500_000, ge=1, description="Optimiser steps.")
    highest_level: float = Field(50.0, gt=0, description="Noise levels are uniform between 0 and this, grey levels.")


PUBLISHED = "weights/drunet_gray.pth"  # where `fplbench fetch drunet` puts them


@training("drunet", options=DrunetOptions, inputs=("clean", "validation_clean"), per=("dataset",), published=PUBLISHED)
def drunet(inputs: Inputs, out: Path, options: DrunetOptions, seed: int, device: str) -> None:
    """Train DPIR's denoiser on clean images with Gaussian noise of random, known levels."""
    from fplbench.device import choose_device
    from fplbench.training.loop.run import load_images, run_training
    from fplbench.training.loop.validation import read_validation

    target = choose_device(device)
    images = load_images(inputs["clean"], target)
    network = new_drunet(options, seed, target)
    loss = DrunetLoss(network, images, options, seed)
    validation = read_validation(
        inputs, network, lambda clean: denoised_again(network, clean, options, seed), options, noisy=False
    )
    run_training(network, loss, ["absolute"], len(images), options, [inputs["clean"]], out, seed, validation=validation)


def denoised_again(network: "nn.Module", clean: "torch.Tensor", options: DrunetOptions, seed: int) -> "torch.Tensor":
    """Clean images with noise of the middle level, the same at every call, and denoised: what is scored during training."""
    import torch

    level = torch.tensor(options.highest_level / 2 / 255, device=clean.device)
    noise = torch.randn(clean.shape, generator=torch.Generator(clean.device).manual_seed(seed), device=clean.device)
    return network(clean + level * noise, level)


def new_drunet(options: DrunetOptions, seed: int, device: "torch.device") -> "nn.Module":
    """A DRUNet with its authors' initial weights, orthogonal with gain 0.2, but for one channel that carries the image.

    Through the first channel of the finest scale the image passes unchanged from head to tail, so that a short training
    starts near the image and not near black.
    """
    import torch
    from torch import nn

    from fplbench.networks.drunet import DRUNet
    from fplbench.training.loop.tensors import seeded

    def build() -> nn.Module:
        network = DRUNet(options.width, options.blocks)
        for tensor in network.parameters():
            nn.init.orthogonal_(tensor, gain=0.2)
        for convolution in (network.m_head, network.m_tail):
            nn.init.zeros_(convolution.weight[0] if convolution is network.m_head else convolution.weight[:, 0])
            with torch.no_grad():
                convolution.weight[0, 0, 1, 1] = 1
        return network

    return seeded(build, seed, device)


class DrunetLoss:
    """L1 distance to the clean image from one with Gaussian noise of a random, known level."""

    def __init__(self, network: "nn.Module", clean: "torch.Tensor", options: DrunetOptions, seed: int):
        self.network, self.clean, self.options, self.seed = network, clean, options, seed
        self._step = -1

    def __call__(self, positions: "torch.Tensor", step: int) -> "Terms":
        """The term for a random square of the images at some positions."""
        import torch

        from fplbench.device import mixed_precision
        from fplbench.seeds import generator
        from fplbench.training.loop.tensors import as_images, random_square

        if step != self._step:  # the micro-batches of a step go on drawing from its streams
            self._step = step
            self._crops = generator(self.seed, "crops", step)
            self._noise = torch.Generator(self.clean.device).manual_seed(int(self._crops.integers(2**62)))
        images = random_square(as_images(self.clean, positions), self.options.patch, self._crops)
        levels = torch.rand(len(images), 1, 1, 1, generator=self._noise, device=images.device)
        levels *= self.options.highest_level / 255
        noise = torch.randn(images.shape, generator=self._noise, device=images.device)
        with mixed_precision(images.device):
            denoised = self.network(images + levels * noise, levels)
        return {"absolute": ((denoised.float() - images).abs().mean(), 1.0)}

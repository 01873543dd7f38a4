"""What each network learns: the restoration network, the denoiser (FPL), and DRUNet."""

import numpy as np
import torch
from torch import nn

from fplbench.device import mixed_precision
from fplbench.explain import guided_backprop
from fplbench.losses import feature_preserving_loss, residual_loss
from fplbench.networks import DRUNet, UNet
from fplbench.networks.unet import fold_batch_norm
from fplbench.seeds import generator
from fplbench.training.meter import Terms
from fplbench.training.options import DenoiserOptions, DrunetOptions, ExplanationOptions


def as_images(stack: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
    """Images (N, 1, H, W) in [0, 1] at some positions of a uint8 stack (all, H, W) on the same device."""
    return stack[positions].unsqueeze(1).float().div_(255).contiguous(memory_format=torch.channels_last)


def seeded(build, seed: int, device: torch.device) -> nn.Module:
    """Build a network whose initial weights depend on the seed alone, without touching torch's global generator."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(generator(seed, "weights").integers(2**62)))
        network = build()
    return network.to(device, memory_format=torch.channels_last)


def new_denoiser(width: int, seed: int, device: torch.device) -> nn.Module:
    """A U-Net whose last layer is zero: it predicts no noise at first, so the denoiser starts as the identity."""
    network = seeded(lambda: UNet(width), seed, device)
    nn.init.zeros_(network.last.weight)
    nn.init.zeros_(network.last.bias)
    return network


class RestorationLoss:
    """The restoration network maps a clean image to itself (section 3)."""

    def __init__(self, network: nn.Module, clean: torch.Tensor):
        self.network, self.clean = network, clean

    def __call__(self, positions: torch.Tensor, step: int) -> Terms:
        """The terms for the images at some positions."""
        images = as_images(self.clean, positions)
        with mixed_precision(images.device):
            restored = self.network(images)
        return {"restoration": (residual_loss(restored.float(), images), 1.0)}


class DenoiserLoss:
    """L_res, and L_FP in each `every`-th step.

    Args:
        network: the denoiser; predicts the noise.
        clean, noisy: uint8 stacks (all, H, W), on the device.
        options: weight and schedule of L_FP.
        restoration: the explained network; a frozen copy of it is explained. None leaves L_FP out.
        clean_maps: F_clean (all, H, W), on the device.
        explanation: how the maps are made.
    """

    def __init__(
        self,
        network: nn.Module,
        clean: torch.Tensor,
        noisy: torch.Tensor,
        options: DenoiserOptions,
        restoration: nn.Module | None = None,
        clean_maps: torch.Tensor | None = None,
        explanation: ExplanationOptions | None = None,
    ):
        self.network, self.clean, self.noisy, self.options = network, clean, noisy, options
        self.restoration = None if restoration is None else fold_batch_norm(restoration)
        self.clean_maps = clean_maps
        self.explanation = {} if explanation is None else explanation.model_dump()

    def __call__(self, positions: torch.Tensor, step: int) -> Terms:
        """The terms for the images at some positions, in one step of the schedule."""
        noisy = as_images(self.noisy, positions)
        with mixed_precision(noisy.device):
            residual = self.network(noisy)
        residual = residual.float()
        terms = {"residual": (residual_loss(residual, noisy - as_images(self.clean, positions)), 1.0)}
        if self.restoration is not None and step >= self.options.feature_start and step % self.options.every == 0:
            # In float32: the maps are compared with F_clean, whose differences bfloat16 would drown.
            maps = guided_backprop(self.restoration, noisy - residual, create_graph=True, **self.explanation)
            clean_maps = self.clean_maps[positions].unsqueeze(1).float()
            loss = feature_preserving_loss(maps, clean_maps, normalise=self.options.normalise)
            terms["feature"] = (loss, self.options.weight * self.options.every)
        return terms


def new_drunet(options: DrunetOptions, seed: int, device: torch.device) -> nn.Module:
    """A DRUNet with its authors' initial weights, orthogonal with gain 0.2, but for one channel that carries the image.

    Through the first channel of the finest scale the image passes unchanged from head to tail, so that a short training
    starts near the image and not near black.
    """

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
    """L1 distance to the clean image from one with Gaussian noise of a random, known level (Zhang et al. 2021)."""

    def __init__(self, network: nn.Module, clean: torch.Tensor, options: DrunetOptions, seed: int):
        self.network, self.clean, self.options, self.seed = network, clean, options, seed
        self._step = -1

    def __call__(self, positions: torch.Tensor, step: int) -> Terms:
        """The term for a random square of the images at some positions."""
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


def random_square(images: torch.Tensor, side: int, draw: np.random.Generator) -> torch.Tensor:
    """The same random square of all images (..., H, W), at most `side` pixels wide."""
    side = min(side, *images.shape[-2:])
    top, left = (int(draw.integers(0, size - side + 1)) for size in images.shape[-2:])
    return images[..., top : top + side, left : left + side]

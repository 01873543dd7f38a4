"""The paper's denoiser: a U-Net that predicts the noise, trained with the residual and the feature preserving loss."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from fplbench.errors import InputError
from fplbench.training.options import ExplanationOptions, TrainingOptions
from fplbench.training.registry import Inputs, training

if TYPE_CHECKING:
    import torch
    from torch import nn

    from fplbench.networks.unet import UNet
    from fplbench.training.loop.meter import Terms


class FplOptions(TrainingOptions):
    """Options of the denoiser with the feature preserving loss."""

    feature_weight: float = Field(
        1e-4, ge=0, allow_inf_nan=False, description="Weight of L_FP relative to L_res; 0 leaves L_FP out."
    )
    normalise: bool = Field(True, description="Divide L_FP by the variance of each F_clean; false is the paper's Eq. 3.")
    feature_interval: int = Field(
        1, ge=1, description="L_FP is computed in every step that this number divides, and weighted by it."
    )
    feature_start: int = Field(0, ge=0, description="First step with L_FP.")
    allow_zero_gradient: bool = Field(
        False, description="Train with readout sum and activation relu, whose L_FP has no gradient: a control."
    )

    def without_features(self) -> "FplOptions":
        """These options without L_FP. What only L_FP uses has its default, so changing it does not train this network again."""
        own = FplOptions.model_fields.keys() - TrainingOptions.model_fields.keys()
        return FplOptions(**self.model_dump(exclude=own), feature_weight=0.0)


def check_gradient(options: FplOptions, explanation: ExplanationOptions) -> None:
    """Raise InputError where L_FP could teach nothing: the summed map of a ReLU network has no derivative."""
    piecewise = explanation.readout == "sum" and explanation.activation == "relu"
    if piecewise and options.feature_weight and not options.allow_zero_gradient:
        raise InputError(
            "explanation.readout sum with explanation.activation relu makes L_FP piecewise constant, so its gradient is zero and "
            "the denoiser learns nothing from it: use activation softplus, or set training.fpl.allow_zero_gradient to true to "
            "run it as a control."
        )


@training("fpl", options=FplOptions, inputs=("clean", "noisy", "restoration", "features"), per=("dataset", "noise"))
def fpl(inputs: Inputs, out: Path, options: FplOptions, seed: int, device: str) -> None:
    """Train a denoiser with the residual loss and the feature preserving loss (Dong and Basu 2023)."""
    train_residual(inputs, out, options, seed, device)


def train_residual(inputs: Inputs, out: Path, options: FplOptions, seed: int, device: str) -> None:
    """Train a U-Net to predict the noise, with L_FP unless its weight is 0.

    Raises:
        InputError: the stacks do not belong together, the features are of another network or other images, or L_FP has
            no gradient.
    """
    from fplbench.device import choose_device
    from fplbench.stacks import check_same_images
    from fplbench.training.loop.run import load_images, run_training

    target = choose_device(device)
    clean, noisy = load_images(inputs["clean"], target), load_images(inputs["noisy"], target)
    if clean.shape != noisy.shape:
        raise InputError(f"{inputs['noisy']} has shape {tuple(noisy.shape)}, and {inputs['clean']} {tuple(clean.shape)}.")
    check_same_images(inputs["clean"], inputs["noisy"])
    network = new_denoiser(options.width, seed, target)
    files = [inputs["clean"], inputs["noisy"]]
    explained = _explained(inputs, options, target) if options.feature_weight else None
    if explained:
        files += [inputs["restoration"], inputs["features"]]
    loss = DenoiserLoss(network, clean, noisy, options, explained)
    record = {"output": "noise", "explanation": explained and explained.explanation}
    interval = options.feature_interval if explained else 1
    run_training(network, loss, ["residual", "feature"], len(clean), options, files, out, seed, record, interval)


def new_denoiser(width: int, seed: int, device: "torch.device") -> "UNet":
    """A U-Net whose last layer is zero: it predicts no noise at first, so the denoiser starts as the identity."""
    from torch import nn

    from fplbench.networks.unet import UNet
    from fplbench.training.loop.tensors import seeded

    def build() -> UNet:
        network = UNet(width)
        for parameter in network.last.parameters():
            nn.init.zeros_(parameter)
        return network

    return seeded(build, seed, device)


@dataclass(frozen=True)
class Explained:
    """What L_FP compares with.

    Attributes:
        restoration: the explained network.
        clean_maps: F_clean (all, H, W), on the device.
        explanation: readout, activation and beta of guided_backprop.
    """

    restoration: "UNet"
    clean_maps: "torch.Tensor"
    explanation: Mapping[str, Any]


def _explained(inputs: Inputs, options: FplOptions, device: "torch.device") -> Explained:
    """Read what L_FP needs."""
    import numpy as np
    import torch

    from fplbench.explaining.maps import open_features
    from fplbench.networks import weights

    if "restoration" not in inputs or "features" not in inputs:
        raise InputError("feature_weight is not 0, so the training needs --restoration and --features.")
    maps, explanation = open_features(inputs["features"], inputs["restoration"], inputs["clean"])
    check_gradient(options, ExplanationOptions(**explanation))
    network, _ = weights.load(inputs["restoration"], device=str(device))
    network = network.to(memory_format=torch.channels_last)
    return Explained(network, torch.from_numpy(np.array(maps)).to(device), explanation)


class DenoiserLoss:
    """L_res, and L_FP in every step that `feature_interval` divides.

    Args:
        network: the denoiser; predicts the noise.
        clean, noisy: uint8 stacks (all, H, W), on the device.
        options: weight and schedule of L_FP.
        explained: what L_FP compares with; a frozen copy of its network is explained. None leaves L_FP out.
    """

    def __init__(
        self,
        network: "nn.Module",
        clean: "torch.Tensor",
        noisy: "torch.Tensor",
        options: FplOptions,
        explained: Explained | None = None,
    ):
        from fplbench.networks.unet import fold_batch_norm

        self.network, self.clean, self.noisy, self.options = network, clean, noisy, options
        self.explained = explained and replace(explained, restoration=fold_batch_norm(explained.restoration))

    def __call__(self, positions: "torch.Tensor", step: int) -> "Terms":
        """The terms for the images at some positions, in one step of the schedule."""
        from fplbench.device import mixed_precision
        from fplbench.losses import residual_loss
        from fplbench.training.loop.tensors import as_images

        noisy = as_images(self.noisy, positions)
        with mixed_precision(noisy.device):
            residual = self.network(noisy)
        residual = residual.float()
        terms = {"residual": (residual_loss(residual, noisy - as_images(self.clean, positions)), 1.0)}
        scheduled = step >= self.options.feature_start and step % self.options.feature_interval == 0
        if self.explained is not None and scheduled:
            weight = self.options.feature_weight * self.options.feature_interval
            terms["feature"] = (self._feature_loss(self.explained, noisy - residual, positions), weight)
        return terms

    def _feature_loss(self, explained: Explained, denoised: "torch.Tensor", positions: "torch.Tensor") -> "torch.Tensor":
        from fplbench.explaining.guided import guided_backprop
        from fplbench.losses import feature_preserving_loss

        # In float32: the maps are compared with F_clean, and bfloat16 would drown the difference.
        maps = guided_backprop(explained.restoration, denoised, create_graph=True, **explained.explanation)
        clean_maps = explained.clean_maps[positions].unsqueeze(1).float()
        return feature_preserving_loss(maps, clean_maps, normalise=self.options.normalise)

"""Supervised training of a denoiser, whatever its network, with or without the feature preserving loss."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field

from fplbench.training.options import AugmentedOptions
from fplbench.training.registry import Inputs

if TYPE_CHECKING:
    import torch
    from torch import nn

    from fplbench.training.explained import Explained
    from fplbench.training.loop.meter import Terms

Output = Literal["image", "noise"]
"""What a network returns: the denoised image, or the noise, which is then subtracted."""


class DenoiserOptions(AugmentedOptions):
    """Options of a denoiser that is trained on pairs of noisy and clean images."""

    draws: int = Field(
        8,
        ge=1,
        description="Realisations of the noise: an image has another one in each epoch, and the first again after the last. "
        "1: the noisy stack alone.",
    )
    loss: Literal["squared", "absolute"] = Field("squared", description="Distance from the clean image; squared is L_res.")
    features: bool = Field(False, description="Train with the feature preserving loss, L_FP, beside it.")
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

    @property
    def explains(self) -> bool:
        """Whether L_FP is part of the loss."""
        return self.features and self.feature_weight > 0

    def without_features(self) -> Self:
        """These options without L_FP. What only L_FP uses has its default, so changing it does not train this network again."""
        return type(self)(**self.model_dump(exclude=FEATURE_OPTIONS), features=False)


FEATURE_OPTIONS = {"features", "feature_weight", "normalise", "feature_interval", "feature_start", "allow_zero_gradient"}


def train_denoiser(
    name: str,
    build: "Callable[[], nn.Module]",
    output: Output,
    inputs: Inputs,
    out: Path,
    options: DenoiserOptions,
    seed: int,
    device: str,
) -> None:
    """Train a network to denoise, and write its weights and log.

    Args:
        name: name of the training.
        build: returns the network, images (N, 1, H, W) in [0, 1] -> (N, 1, H, W), with initial weights; the random numbers
            that torch's global generator gives it depend on the seed alone.
        output: what the network returns.
        inputs: the stacks `clean` and `noisy`; `restoration` and `features` for L_FP; `validation_clean` and
            `validation_noisy`, if the network is to be scored during training.
        out: the .safetensors file; the log is written beside it, ending in .csv.
        options: the options.
        seed: seed of the initial weights, the batches, flips and crops.
        device: auto, cpu or cuda.

    Raises:
        InputError: the stacks do not belong together, the noise cannot be drawn again, the features are of another network
            or other images, L_FP has no gradient, or the training diverged.
    """
    from fplbench.device import choose_device
    from fplbench.training.card import training_card
    from fplbench.training.explained import read_explained
    from fplbench.training.loop.draws import allowed_flips, check_pair, load_draws, noisy_stacks
    from fplbench.training.loop.run import load_images, run_training
    from fplbench.training.loop.tensors import seeded
    from fplbench.training.loop.validation import read_validation

    target = choose_device(device)
    check_pair(inputs["clean"], inputs["noisy"])
    card = training_card(name, inputs, options, seed)
    clean = load_images(inputs["clean"], target)
    network = seeded(build, seed, target)
    explained = read_explained(inputs, options, target) if options.explains else None
    files = [inputs["clean"], *([inputs["restoration"], inputs["features"]] if explained else [])]
    validation = read_validation(inputs, network, lambda images: denoised(output, images, network(images)), options)
    flips = allowed_flips(inputs["noisy"]) if options.flips else ()
    record = {"output": output, "explanation": explained and explained.explanation, "flips": flips}
    with noisy_stacks(inputs["clean"], inputs["noisy"], options.draws, out) as draws:
        loss = DenoiserLoss(network, output, clean, load_draws(draws, target), options, seed, flips, explained)
        files += draws
        run_training(
            network, loss, loss.terms, len(clean), options, files, out, seed, record, loss.interval,
            validation=validation, draws=len(draws), card=card,
        )  # fmt: skip


def denoised(output: Output, images: "torch.Tensor", returned: "torch.Tensor") -> "torch.Tensor":
    """The denoised images, from noisy ones and what a network returned for them."""
    return returned if output == "image" else images - returned


class DenoiserLoss:
    """Distance from the clean images, and L_FP in every step that `feature_interval` divides.

    In steps with L_FP the images are whole, and flipped back before they are explained: F_clean belongs to the image as it is.

    Args:
        network: the denoiser.
        output: what it returns.
        clean: uint8 stack (all, H, W), on the device.
        noisy: uint8 stack (draws * all, H, W), on the device: all images of the first realisation of the noise, all of the
            second, and so on. The positions of a batch count in it.
        options: loss, crops, weight and schedule of L_FP.
        seed: seed of flips and crops.
        flips: the axes along which images are flipped.
        explained: what L_FP compares with; a frozen copy of its network is explained. None leaves L_FP out.
    """

    def __init__(
        self,
        network: "nn.Module",
        output: Output,
        clean: "torch.Tensor",
        noisy: "torch.Tensor",
        options: DenoiserOptions,
        seed: int = 0,
        flips: Sequence[str] = (),
        explained: "Explained | None" = None,
    ):
        from fplbench.training.loop.views import Views

        self.network, self.output, self.clean, self.noisy, self.options = network, output, clean, noisy, options
        self.views = Views(len(clean), clean.shape[1:], seed, flips, options.patch)
        self.explained = explained and explained.frozen()
        self.terms = ["residual", "feature"] if explained else ["residual"]
        self.interval = options.feature_interval if explained else 1

    def __call__(self, positions: "torch.Tensor", step: int) -> "Terms":
        """The terms for the images at some positions, in one step of the schedule."""
        from fplbench.device import mixed_precision

        scheduled = step >= self.options.feature_start and step % self.options.feature_interval == 0
        explained = self.explained if scheduled else None
        view = self.views(positions, step, whole=explained is not None)
        noisy, clean = view.of(self.noisy), view.of(self.clean)
        with mixed_precision(noisy.device):
            returned = self.network(noisy)
        returned = returned.float()
        residual = returned if self.output == "noise" else noisy - returned
        terms = {"residual": (self._distance(residual, noisy - clean), 1.0)}
        if explained is not None:
            image = view.undo(denoised(self.output, noisy, returned))
            loss = explained.loss(image, positions % len(self.clean), self.options.normalise)
            terms["feature"] = (loss, self.options.feature_weight * self.options.feature_interval)
        return terms

    def _distance(self, residual: "torch.Tensor", noise: "torch.Tensor") -> "torch.Tensor":
        from fplbench.losses import residual_loss

        if self.options.loss == "absolute":
            return (residual - noise).abs().sum() / len(noise)
        return residual_loss(residual, noise)

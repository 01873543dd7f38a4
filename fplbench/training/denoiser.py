"""Supervised training of a denoiser, whatever its network, with or without features of the clean images in its loss."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

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
    features: bool = Field(False, description="Train with features of the clean images, F_clean, as feature_use says.")
    feature_use: Literal["difference", "weight"] = Field(
        "difference",
        description="difference: with the feature preserving loss, L_FP, beside L_res, as in the paper; weight: with F_clean as "
        "the weight of the pixels in L_res, and without L_FP.",
    )
    feature_weight: float = Field(
        1e-4, ge=0, allow_inf_nan=False, description="Weight of L_FP relative to L_res; 0 leaves L_FP out."
    )
    balance: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="In place of feature_weight, the ratio that is held between the norms of the gradients of the weighted L_FP "
        "and of L_res with respect to the denoised images of a batch. The weight is this ratio times "
        "exp(mean of log(norm of L_res / norm of L_FP)), a running mean over the steps with L_FP, the current one included, in "
        "which each counts 0.9 times as much as the next.",
    )
    feature_strength: float = Field(
        5.0,
        ge=0,
        allow_inf_nan=False,
        description="With feature_use weight, a pixel weighs 1 + strength * m, divided by the mean over its image, where m is "
        "the magnitude of F_clean, scaled to [0, 1]; 0 leaves F_clean out.",
    )
    feature_quantile: float = Field(
        0.99,
        gt=0,
        le=1,
        description="Quantile of the magnitudes of F_clean in all training images that is scaled to m = 1; larger ones are "
        "clipped. Where it is 0, the largest magnitude takes its place.",
    )
    normalise: bool = Field(True, description="Divide L_FP by the variance of each F_clean; false is the paper's Eq. 3.")
    feature_interval: int = Field(
        1, ge=1, description="L_FP is computed in every step that this number divides, and weighted by it."
    )
    feature_start: int = Field(0, ge=0, description="First step with L_FP.")
    allow_zero_gradient: bool = Field(
        False, description="Train with readout sum and activation relu, whose L_FP has no gradient: a control."
    )

    @model_validator(mode="after")
    def _fit_their_use(self) -> Self:
        """Refuse options that belong to another use of the features, as a value without effect misleads."""
        foreign = {"difference": ("feature_strength", "feature_quantile"), "weight": ("balance",)}[self.feature_use]
        for name in foreign:
            if getattr(self, name) != type(self).model_fields[name].default:
                other = "weight" if self.feature_use == "difference" else "difference"
                raise ValueError(
                    f"{name} has no effect with feature_use {self.feature_use}: leave it out, or set feature_use to {other}."
                )
        return self

    @property
    def explains(self) -> bool:
        """Whether features are part of the loss."""
        if self.feature_use == "weight":
            return self.features and self.feature_strength > 0
        return self.features and (self.balance is not None or self.feature_weight > 0)

    def without_features(self) -> Self:
        """These options without features. What only they use has its default: changing it does not train this network again."""
        return type(self)(**self.model_dump(exclude=FEATURE_OPTIONS), features=False)


FEATURE_OPTIONS = {
    *("features", "feature_use", "feature_weight", "balance", "feature_strength", "feature_quantile"),
    *("normalise", "feature_interval", "feature_start", "allow_zero_gradient"),
}


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
        inputs: the stacks `clean` and `noisy`; `features`, if they are part of the loss, and the network that is `explained`,
            if they are of one; `validation_clean` and `validation_noisy`, if the network is to be scored during training.
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
    from fplbench.training.explained import read_features
    from fplbench.training.loop.draws import allowed_flips, check_pair, load_draws
    from fplbench.training.loop.run import load_images, run_training
    from fplbench.training.loop.tensors import seeded
    from fplbench.training.loop.validation import read_validation

    target = choose_device(device)
    check_pair(inputs["clean"], inputs["noisy"])
    card = training_card(name, inputs, options, seed)
    clean = load_images(inputs["clean"], target)
    network = seeded(build, seed, target)
    features = read_features(inputs, options, target) if options.explains else None
    files = [inputs["clean"], *(features.files if features else [])]
    validation = read_validation(inputs, network, lambda images: denoised(output, images, network(images)), options)
    flips = allowed_flips(inputs["noisy"]) if options.flips else ()
    record = {"output": output, "explanation": features and features.explanation, "flips": flips}
    explained, weights = (features.explained, features.weights) if features else (None, None)
    noisy, hashes = load_draws(inputs["clean"], inputs["noisy"], options.draws, out, target)
    loss = DenoiserLoss(network, output, clean, noisy, options, seed, flips, explained, weights)
    run_training(
        network, loss, loss.terms, len(clean), options, files, out, seed, record, loss.interval,
        validation=validation, draws=len(hashes), hashes=hashes, card=card,
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
        weights: float stack (all, H, W), on the device: how much the pixels count; None: all alike.
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
        weights: "torch.Tensor | None" = None,
    ):
        from fplbench.training.feature_term import FeatureTerm
        from fplbench.training.loop.views import Views

        self.network, self.output, self.clean, self.noisy, self.options = network, output, clean, noisy, options
        self.views = Views(len(clean), clean.shape[1:], seed, flips, options.patch)
        self.weights = weights
        self.feature = FeatureTerm(explained, options, clean.device) if explained else None
        self.terms = ["residual", "feature"] if explained else ["residual"]
        self.interval = options.feature_interval if explained else 1
        self.gauges: Sequence[str] = self.feature.gauges if self.feature else ()
        self.measured: Mapping[str, torch.Tensor] = {}

    def __call__(self, positions: "torch.Tensor", step: int) -> "Terms":
        """The terms for the images at some positions, in one step of the schedule."""
        from fplbench.device import mixed_precision
        from fplbench.losses import residual_loss
        from fplbench.training.loop.tensors import as_images

        scheduled = step >= self.options.feature_start and step % self.options.feature_interval == 0
        feature = self.feature if scheduled else None
        view = self.views(positions, step, whole=feature is not None)
        noisy, clean = view.of(self.noisy), view.of(self.clean)
        with mixed_precision(noisy.device):
            returned = self.network(noisy)
        returned = returned.float()
        residual = returned if self.output == "noise" else noisy - returned
        weights = None if self.weights is None else view.as_they_are(self.weights)
        terms: Terms = {"residual": (residual_loss(residual, noisy - clean, weights, self.options.loss == "absolute"), 1.0)}
        self.measured = {}
        if feature is not None:
            places = positions % len(self.clean)
            image = view.undo(denoised(self.output, noisy, returned))
            terms["feature"] = feature(image, as_images(self.clean, places), places)
            self.measured = feature.measured
        return terms

    def state(self) -> "dict[str, torch.Tensor]":
        """What a training that is resumed needs of the steps before: the running mean of `balance`."""
        return self.feature.state() if self.feature else {}

    def load(self, state: "Mapping[str, torch.Tensor]") -> None:
        """Go on from a state."""
        if self.feature:
            self.feature.load(state)

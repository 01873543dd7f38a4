"""Options of the training stages."""

from typing import Literal

from pydantic import Field, model_validator

from fplbench.errors import InputError
from fplbench.options import Options


class TrainingOptions(Options):
    """What every training has: how long, how fast, how often it is logged and saved."""

    width: int = Field(64, ge=1, description="Channels of the network's first level.")
    steps: int = Field(20_000, ge=1, description="Optimiser steps.")
    batch: int = Field(16, ge=1, description="Images a step.")
    micro_batch: int | None = Field(
        None,
        ge=1,
        description="Images that go through the network at once; gradients accumulate to `batch`. null: all.",
    )
    learning_rate: float = Field(1e-3, gt=0, allow_inf_nan=False, description="Peak rate of Adam.")
    warm_up: int = Field(500, ge=0, description="Steps over which the rate rises linearly to its peak.")
    final_rate: float = Field(0.0, ge=0, le=1, description="Rate at the end, as a share of the peak; the way there is linear.")
    log_every: int = Field(100, ge=1, description="Steps a row of the log.")
    save_every: int = Field(1000, ge=1, description="Steps between two states to resume from, rounded up to rows of the log.")
    explosion: float = Field(
        1000.0, gt=1, description="The training stops where the loss exceeds the median of the log's first row by this factor."
    )

    @model_validator(mode="after")
    def _micro_batch_divides(self):
        if self.micro_batch and self.batch % self.micro_batch:
            raise ValueError(f"micro_batch is {self.micro_batch}, which does not divide batch, {self.batch}.")
        return self


class ExplanationOptions(Options):
    """What guided back-propagation explains, and how."""

    readout: Literal["sum", "half_square", "sigmoid_sum"] = Field("sum", description="The scalar that is explained.")
    activation: Literal["softplus", "relu"] = Field(
        "softplus", description="The ReLUs, smoothed so that L_FP has a gradient; or as they are, the paper's letter."
    )
    beta: float = Field(100.0, gt=0, allow_inf_nan=False, description="Sharpness of the softplus.")


class DenoiserOptions(TrainingOptions):
    """Options of the denoiser with the feature preserving loss."""

    weight: float = Field(1e-4, ge=0, allow_inf_nan=False, description="Weight of L_FP beside L_res; 0 leaves L_FP out.")
    normalise: bool = Field(True, description="Divide L_FP by the variance of each F_clean; false is the paper's Eq. 3.")
    every: int = Field(1, ge=1, description="L_FP enters each k-th step, with k times its weight.")
    feature_start: int = Field(0, ge=0, description="First step with L_FP.")
    allow_zero_gradient: bool = Field(
        False, description="Train with readout sum and activation relu, whose L_FP has no gradient: a control."
    )

    def without_features(self) -> "DenoiserOptions":
        """These options without L_FP: what only it uses has its default, so that changing it trains nothing again."""
        own = DenoiserOptions.model_fields.keys() - TrainingOptions.model_fields.keys()
        return DenoiserOptions(**self.model_dump(exclude=own), weight=0.0)


def check_gradient(denoiser: DenoiserOptions, explanation: ExplanationOptions) -> None:
    """Raise InputError where L_FP could teach nothing: the summed map of a ReLU network has no derivative."""
    piecewise = explanation.readout == "sum" and explanation.activation == "relu"
    if piecewise and denoiser.weight and not denoiser.allow_zero_gradient:
        raise InputError(
            "explanation.readout sum with explanation.activation relu makes L_FP piecewise constant, so its gradient is zero and "
            "the denoiser learns nothing from it: use activation softplus, or set denoiser.allow_zero_gradient to true to run "
            "it as a control."
        )


class DrunetOptions(TrainingOptions):
    """Options of DRUNet's training, after its authors' recipe: L1 loss, Adam 1e-4, levels uniform in [0, 50]."""

    blocks: int = Field(4, ge=1, description="Residual blocks a scale.")
    batch: int = Field(64, ge=1, description="Images a step.")
    patch: int = Field(128, ge=8, multiple_of=8, description="Side of the random crops, pixels.")
    learning_rate: float = Field(1e-4, gt=0, allow_inf_nan=False, description="Peak rate of Adam.")
    steps: int = Field(500_000, ge=1, description="Optimiser steps.")
    highest_level: float = Field(50.0, gt=0, description="Levels are uniform between 0 and this, in grey levels of 255.")


class CvfSidTrainingOptions(TrainingOptions):
    """Options of CVF-SID's training; patch, batch, rate and weight of the augmentation are the paper's."""

    steps: int = Field(100_000, ge=1, description="Optimiser steps.")
    batch: int = Field(64, ge=1, description="Images a step.")
    patch: int = Field(40, ge=8, description="Side of the random crops, pixels.")
    learning_rate: float = Field(1e-4, gt=0, allow_inf_nan=False, description="Peak rate of Adam.")
    augmentation: float = Field(0.1, ge=0, allow_inf_nan=False, description="Weight of the terms on recombined images.")

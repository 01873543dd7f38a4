"""Options that several trainings have, and those of explanations."""

from typing import Literal, Self

from pydantic import Field, model_validator

from fplbench.options import Options


class TrainingOptions(Options):
    """What every training has: how long, how fast, how often it is logged, validated and saved."""

    width: int = Field(64, ge=1, description="Channels of the network's first level.")
    steps: int = Field(20_000, ge=1, description="Optimiser steps.")
    batch: int = Field(16, ge=1, description="Images in each step.")
    micro_batch: int | None = Field(
        None,
        ge=1,
        description="Images that go through the network at once; gradients accumulate to `batch`. null: all. Where memory runs "
        "out, it is halved.",
    )
    learning_rate: float = Field(1e-3, gt=0, allow_inf_nan=False, description="Peak learning rate of Adam.")
    warm_up: int | None = Field(
        None,
        ge=0,
        description="Steps over which the rate rises linearly to its peak. null: 500, but at most a tenth of the steps.",
    )
    final_rate: float = Field(0.0, ge=0, le=1, description="Learning rate at the end, as a share of the peak; it falls linearly.")
    log_every: int = Field(100, ge=1, description="Steps in each row of the log.")
    save_every: int = Field(
        1000, ge=1, description="Steps between two states to resume from, rounded up to whole rows of the log."
    )
    divergence_factor: float = Field(
        1000.0, gt=1, description="The training stops when the loss exceeds the median of the log's first row by this factor."
    )
    validate_every: int | None = Field(
        None,
        ge=1,
        description="Steps between two scores on validation images, rounded up to whole rows of the log. null: a tenth of all.",
    )
    validation_images: int = Field(64, ge=1, description="Validation images that are scored, at most; spread evenly.")
    keep: Literal["last", "best"] = Field(
        "last", description="Which weights are kept: the last, or those with the highest PSNR on validation images."
    )

    @model_validator(mode="after")
    def _micro_batch_divides(self) -> Self:
        if self.micro_batch and self.batch % self.micro_batch:
            raise ValueError(f"micro_batch is {self.micro_batch}, which does not divide batch, {self.batch}.")
        return self

    @model_validator(mode="after")
    def _warm_up_ends(self) -> Self:
        if self.warm_up is not None and self.warm_up >= self.steps:
            raise ValueError(
                f"warm_up is {self.warm_up}, but the training has only {self.steps} steps: the learning rate would never "
                "fall. Use a shorter warm_up."
            )
        return self

    @property
    def warm_up_steps(self) -> int:
        """Steps over which the learning rate rises."""
        return min(500, self.steps // 10) if self.warm_up is None else self.warm_up

    @property
    def validation_interval(self) -> int:
        """Steps between two scores on validation images."""
        return self.validate_every or max(1, self.steps // 10)


class AugmentedOptions(TrainingOptions):
    """What trainings have that flip and crop the images they learn from."""

    flips: bool = Field(
        True, description="Flip images at random, along the axes along which their noise may be flipped (docs/noise.md)."
    )
    patch: int | None = Field(None, ge=8, description="Side of random crops, pixels; null: whole images.")

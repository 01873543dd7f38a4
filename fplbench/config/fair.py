"""Options of the fair comparison: which learned methods stand beside FPL, on which noises, and with which budget."""

from typing import Any

from pydantic import Field, PositiveFloat, PositiveInt

from fplbench.denoising.columns import Budget
from fplbench.options import Options

CONTROLS = ("residual_same_steps", "residual_same_seconds")
PEERS = ("red_cnn", "dncnn", "restormer", "nafnet", "swinir", "noise2void", "neighbor2neighbor")
SHARED_OPTIONS = ("steps", "batch", "draws", "flips", "keep", "warm_up", "log_every", "validate_every", "validation_images")
"""What every learned method takes from FPL's training under the fair protocol, unless the config says otherwise."""


def _methods() -> dict[str, dict[str, Any]]:
    return {name: {"optional": True} for name in (*CONTROLS, *PEERS)}


class FairOptions(Options):
    """What `snakemake fair` compares."""

    noises: list[str] | None = Field(
        None,
        description="Noises on which the learned methods are trained; null: gaussian and structured.",
    )
    methods: dict[str, dict[str, Any]] = Field(
        default_factory=_methods,
        description="The methods beside those of the tables, with their options, as under methods.",
    )
    budgets: list[Budget] = Field(
        ["steps"],
        min_length=1,
        description="Budgets of the learned methods, with a table for each: FPL's steps, or FPL's seconds, turned into steps.",
    )
    seconds_per_step: dict[str, PositiveFloat] = Field(
        {},
        description="Seconds of one optimiser step of each training, all on one device; `fplbench step-seconds` measures them. "
        "A network with the budget of seconds trains for FPL's steps times FPL's seconds over its own.",
    )
    steps: dict[str, PositiveInt] = Field(
        {},
        description="Steps of the trainings with the budget of seconds; where left out, they follow from the seconds.",
    )
    device: str = Field("", description="The device on which the seconds were measured.")

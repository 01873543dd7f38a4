"""Variants of FPL's training that show what the feature preserving loss buys."""

from dataclasses import dataclass
from typing import Any

from pydantic import Field, NonNegativeInt, PositiveFloat

from fplbench.explaining.options import ExplanationOptions
from fplbench.options import Options
from fplbench.training.fpl import FplOptions

CONTROL = "residual"
AS_PUBLISHED = "as_published"


class AblationOptions(Options):
    """What the ablation compares."""

    noises: list[str] | None = Field(None, description="Noises to train on; null: gaussian, or the first noise.")
    seeds: list[NonNegativeInt] = Field(
        [1, 2, 3, 4, 5],
        min_length=1,
        description="Seeds of the initial weights and the batches. With fewer than 5 there are no intervals.",
    )
    feature_weights: list[PositiveFloat] = Field(
        [1e-4, 1e-3, 1e-2], description="Weights of L_FP to compare, beside that of training.fpl and 0."
    )


@dataclass(frozen=True)
class Variant:
    """Options of one variant, as JSON values."""

    fpl: dict[str, Any]
    explanation: dict[str, Any]


def variants(options: AblationOptions, fpl: FplOptions, explanation: ExplanationOptions) -> dict[str, Variant]:
    """The variants by name: `residual` without L_FP, `as_published` as the paper has it, and one for each feature weight.

    As published, the ReLU network is explained by its summed output and L_FP is not normalised. Its gradient is zero, so
    the training has to end where `residual` ends.
    """
    shown = explanation.model_dump(mode="json")
    weight = fpl.feature_weight or 1.0
    published = {"features": True, "normalise": False, "allow_zero_gradient": True, "feature_weight": weight}
    found = {
        CONTROL: Variant(fpl.without_features().model_dump(mode="json"), shown),
        AS_PUBLISHED: Variant(_changed(fpl, **published), {**shown, "readout": "sum", "activation": "relu"}),
    }
    for weight in sorted({*options.feature_weights, fpl.feature_weight} - {0.0}):
        found[f"weight_{weight:g}"] = Variant(_changed(fpl, features=True, feature_weight=weight), shown)
    return found


def _changed(fpl: FplOptions, **changes: Any) -> dict[str, Any]:
    return fpl.model_copy(update=changes).model_dump(mode="json")

"""Variants of the denoiser's training that show what the feature preserving loss buys."""

from dataclasses import dataclass
from typing import Any

from pydantic import Field, NonNegativeInt, PositiveFloat

from fplbench.options import Options
from fplbench.training.options import DenoiserOptions, ExplanationOptions


class AblationOptions(Options):
    """What the ablation compares."""

    noises: list[str] | None = Field(None, description="Noises it trains on; none: gaussian, or the first noise.")
    seeds: list[NonNegativeInt] = Field([1, 2, 3], min_length=1, description="Seeds of the initial weights and the batches.")
    weights: list[PositiveFloat] = Field([1e-4, 1e-3, 1e-2], description="Weights of L_FP, beside the default and 0.")


@dataclass(frozen=True)
class Variant:
    """Options of one variant, as JSON values."""

    denoiser: dict[str, Any]
    explanation: dict[str, Any]


def variants(options: AblationOptions, denoiser: DenoiserOptions, explanation: ExplanationOptions) -> dict[str, Variant]:
    """The variants by name: `residual` without L_FP, `letter` as the paper writes it, and one for each weight.

    The paper's letter explains the ReLU network by its summed output and does not normalise L_FP. Its gradient is zero, so
    it has to end where `residual` ends.
    """
    shown = explanation.model_dump(mode="json")
    letter = {"normalise": False, "allow_zero_gradient": True, "weight": denoiser.weight or 1.0}
    found = {
        "residual": Variant(denoiser.without_features().model_dump(mode="json"), shown),
        "letter": Variant(_changed(denoiser, **letter), {**shown, "readout": "sum", "activation": "relu"}),
    }
    for weight in sorted({*options.weights, denoiser.weight} - {0.0}):
        found[f"weight_{weight:g}"] = Variant(_changed(denoiser, weight=weight), shown)
    return found


def _changed(denoiser: DenoiserOptions, **changes: Any) -> dict[str, Any]:
    return denoiser.model_copy(update=changes).model_dump(mode="json")

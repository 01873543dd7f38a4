"""Variants of FPL's training that show what the feature preserving loss buys, and the controls that it has to beat."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from pydantic import Field, NonNegativeInt, field_validator, model_validator

from fplbench.config.fits import missing_seconds, steps_in_seconds
from fplbench.errors import nearest
from fplbench.explaining.options import LESION_EXPLANATION, ExplanationOptions
from fplbench.options import Options
from fplbench.registry import parse_options
from fplbench.training.fpl import FplOptions

if TYPE_CHECKING:
    from fplbench.config.models import Config

SAME_STEPS, SAME_SECONDS, AS_PUBLISHED, FPL = "residual_same_steps", "residual_same_seconds", "as_published", "fpl"
CONTROLS = (SAME_STEPS, SAME_SECONDS, AS_PUBLISHED, FPL)
"""Variants of every ablation: the residual loss alone, for FPL's steps and seconds; L_FP as published; and FPL as it is."""
VARIANTS: dict[str, dict[str, Any]] = {
    "guided_balanced": {"balance": 0.1},
    "lesion_weight": {"explanation": LESION_EXPLANATION, "feature_use": "weight"},
    "mask_weight": {"explanation": {"feature": "mask"}, "feature_use": "weight"},
}


class AblationOptions(Options):
    """What the ablation compares."""

    datasets: list[str] | None = Field(None, description="Data sets to train on; null: all that noise is added to.")
    noises: list[str] | None = Field(None, description="Noises to train on; null: gaussian, or the first noise.")
    screened_on: list[str] | None = Field(
        None,
        description="Those among the noises on which variants are screened; null: all. On the others residual_same_steps is left "
        "out, where residual_same_seconds is the control.",
    )
    draws: int = Field(
        1, ge=1, le=100, description="Draws of the noise in which each validation and test image, and each lesion, is scored."
    )
    seeds: list[NonNegativeInt] = Field(
        [1, 2, 3, 4, 5],
        min_length=1,
        description="Seeds of the initial weights and the batches. With fewer than 5 there are no intervals.",
    )
    variants: dict[str, dict[str, Any]] = Field(
        VARIANTS,
        description="Variants by name: `explanation`, and options of training.fpl that differ. residual_same_steps, as_published "
        "and fpl are always there, and residual_same_seconds where fair.seconds_per_step has the seconds.",
    )
    controls: list[str] = Field(
        ["mask_weight"], description="Variants that are trained with all seeds whatever they score, beside those that always are."
    )
    least_cosine: float | None = Field(
        None,
        ge=-1,
        le=1,
        description="Variants that compare features are trained only if the descent of their L_FP points at the clean image at "
        "least so much (`fplbench align`); null: all.",
    )
    keep: int | None = Field(
        None,
        ge=1,
        description="How many variants that use a trained network are trained with all seeds: those that gain most for "
        "lesions on validation images with the first seed. as_published, which equals training without L_FP, has the first seed "
        "alone then. null: all.",
    )
    largest_loss: float = Field(
        0.1,
        ge=0,
        description="Loss of PSNR on validation images, dB, beyond which it counts against what a variant gains for lesions.",
    )

    @field_validator("variants")
    @classmethod
    def _have_other_names(cls, variants: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        """Refuse names of controls, and those that cannot be part of a file name."""
        for name in variants:
            if name in CONTROLS:
                raise ValueError(f"{name} is a control that every ablation has: give the variant another name.")
            if not name.isidentifier():
                raise ValueError(f"{name!r} is no name of a variant: use letters, digits and underscores.")
        return variants

    @model_validator(mode="after")
    def _controls_exist(self) -> Self:
        """Refuse controls that there are not; the default one goes with the default variants."""
        if "controls" in self.model_fields_set and (unknown := [name for name in self.controls if name not in self.variants]):
            raise ValueError(f"ablation.controls names {unknown[0]!r}: {nearest(unknown[0], self.variants)}")
        return self

    @property
    def always(self) -> list[str]:
        """Variants that are trained with all seeds whatever they score."""
        return [name for name in CONTROLS if name != AS_PUBLISHED] + [name for name in self.controls if name in self.variants]


@dataclass(frozen=True)
class Variant:
    """One variant.

    Attributes:
        fpl: options of training.fpl, complete, as JSON values.
        explanation: what it explains, complete, as JSON values; None where its training explains nothing.
    """

    fpl: Mapping[str, Any]
    explanation: Mapping[str, Any] | None

    @property
    def explanation_name(self) -> str:
        """The name of the folder of its feature maps; "" where it has none."""
        return explanation_name(ExplanationOptions(**self.explanation)) if self.explanation else ""

    @property
    def network(self) -> str:
        """The role of the network that it explains; "" where it explains none."""
        return (
            str(self.explanation["network"]) if self.explanation and ExplanationOptions(**self.explanation).needs_network else ""
        )

    @property
    def is_form(self) -> bool:
        """Whether it uses what a trained network finds, so that it is a form of the paper's idea and no control."""
        return self.network in ("restoration", "lesion")

    @property
    def compares(self) -> bool:
        """Whether features are compared, so that their alignment matters."""
        return self.explanation is not None and self.fpl["feature_use"] == "difference"


def variants(config: "Config") -> dict[str, Variant]:
    """The variants by name, the controls first.

    Raises:
        InputError: an option of a variant is unknown, or options do not fit each other.
    """
    fpl, shown = config.fpl, config.explanation.model_dump(mode="json")
    alone = Variant(fpl.without_features().model_dump(mode="json"), None)
    published = {
        "feature_use": "difference",
        "balance": None,
        "features": True,
        "normalise": False,
        "allow_zero_gradient": True,
        "feature_weight": fpl.feature_weight or 1.0,
    }
    found = {
        SAME_STEPS: alone,
        SAME_SECONDS: alone,
        AS_PUBLISHED: Variant(_changed(fpl, published), ExplanationOptions(activation="relu").model_dump(mode="json")),
        FPL: Variant(fpl.model_dump(mode="json"), shown if fpl.explains else None),
    }
    if missing_seconds(config, SAME_STEPS):
        del found[SAME_SECONDS]
    else:
        found[SAME_SECONDS] = Variant({**alone.fpl, **_length(config)}, None)
    longer = _length(config) if SAME_SECONDS in found else {}
    for name, given in config.ablation.variants.items():
        where = f"ablation.variants.{name}"
        own = {key: value for key, value in given.items() if key != "explanation"}
        # A weight costs nothing in a step: in FPL's seconds, such a training takes as many steps as one without L_FP.
        length = longer if own.get("feature_use") == "weight" else {}
        options = parse_options(FplOptions, {**fpl.model_dump(), "features": True, **length, **own}, where)
        explanation = parse_options(ExplanationOptions, given.get("explanation", shown), f"{where}.explanation")
        found[name] = Variant(options.model_dump(mode="json"), explanation.model_dump(mode="json"))
    return found


def explanation_name(explanation: ExplanationOptions) -> str:
    """A name for files: the network, the feature and the options that differ from the default, such as lesion_guided_level_0."""
    fields = explanation.model_dump(exclude_defaults=True, exclude={"network", "feature"})
    network = [explanation.network] if explanation.needs_network else []
    parts = [*network, explanation.feature]
    for key, value in fields.items():
        parts += [str(value)] if isinstance(value, str) else [f"{key}_{value:g}".replace(".", "p")]
    return "_".join(parts)


def _changed(fpl: FplOptions, changes: Mapping[str, Any]) -> dict[str, Any]:
    return fpl.model_copy(update=dict(changes)).model_dump(mode="json")


def _length(config: "Config") -> dict[str, Any]:
    """Steps and warm-up of a training that takes FPL's seconds."""
    options = steps_in_seconds(config, SAME_STEPS)
    return {key: options[key] for key in ("steps", "warm_up")}

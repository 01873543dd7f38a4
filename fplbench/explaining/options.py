"""Options of explanations: which network is explained, and what is found in an image."""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from fplbench.errors import nearest
from fplbench.explaining.registry import FEATURES
from fplbench.options import Options

Network = Literal["restoration", "lesion", "random"]
Readout = Literal["sum", "half_square", "sigmoid_sum"]
Activation = Literal["softplus", "relu"]
LESION_EXPLANATION: Mapping[str, Any] = {"network": "lesion", "readout": "sigmoid_sum", "activation": "relu"}
"""How a network that finds lesions is explained wherever its map is shown or used as a weight."""


class ExplanationOptions(Options):
    """What is explained, and how. `fplbench explanations` lists the features and the options that each takes."""

    network: Network = Field(
        "restoration",
        description="The explained network: that of the paper, which restores clean images; one that finds lesions; or one with "
        "random weights, a control.",
    )
    feature: str = Field("guided", description="What is found in an image: guided back-propagation, as in the paper, or another.")
    readout: Readout = Field("sum", description="The scalar that is explained.")
    activation: Activation = Field(
        "softplus", description="softplus smooths the ReLUs, so that L_FP has a gradient; relu is as published."
    )
    beta: float = Field(100.0, gt=0, allow_inf_nan=False, description="Sharpness of the softplus.")
    level: int | None = Field(
        None,
        ge=0,
        le=4,
        description="Level of the encoder that is read, 0 at full resolution to 4; null: the output of the network, or for "
        "encoder level 0 and for grad_cam level 4.",
    )
    samples: int = Field(
        16, ge=1, description="Images whose gradients are averaged: noisy ones, or steps of the path from a black image."
    )
    spread: float = Field(
        0.1, gt=0, allow_inf_nan=False, description="Standard deviation of the noise that smoothgrad adds, of a range of 1."
    )

    annotations: float = Field(
        1.0, gt=0, le=1, description="Share of the images with lesions whose annotation is used; the others have an empty mask."
    )

    @model_validator(mode="before")
    @classmethod
    def _with_its_level(cls, values: Any) -> Any:
        """Fill in the level that the feature reads by default, so that records name it."""
        name = values.get("feature") if isinstance(values, Mapping) else None
        if isinstance(name, str) and name in FEATURES and values.get("level") is None and FEATURES[name].level is not None:
            return {**values, "level": FEATURES[name].level}
        return values

    @field_validator("feature")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if name not in FEATURES:
            raise ValueError(f"there is no feature {name!r}: {nearest(name, FEATURES)}")
        return name

    @model_validator(mode="after")
    def _are_used(self) -> Self:
        """Refuse options that the feature does not take, as a value without effect misleads."""
        used = {"feature", *FEATURES[self.feature].options}
        for name in sorted(self.model_fields_set - used):
            if getattr(self, name) != type(self).model_fields[name].default:
                raise ValueError(f"{name} has no effect with feature {self.feature}, which takes {', '.join(sorted(used))}.")
        FEATURES[self.feature].check(self)
        return self

    @property
    def needs_network(self) -> bool:
        """Whether a network is explained at all."""
        return "network" in FEATURES[self.feature].options

    @property
    def of_images(self) -> bool:
        """Whether the feature is found in images; else it is an annotation of the clean image."""
        return FEATURES[self.feature].of_images

    @property
    def has_gradient(self) -> bool:
        """Whether L_FP, which compares the maps, has a gradient that is not zero almost everywhere."""
        return FEATURES[self.feature].has_gradient(self)


def at_once(pixels: int) -> int:
    """How many images of so many pixels go through an explained network at once: at most 64, and 16 at the size of the paper."""
    return min(64, max(1, 2**20 // pixels))

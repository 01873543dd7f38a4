"""What the variants of an ablation are: forms that use F, annotations as a weight, and other controls."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from fplbench.config.ablation import Variant


@dataclass(frozen=True)
class Roles:
    """The variants that are not mere controls.

    Attributes:
        forms: variants that use the features F of a trained network.
        annotations: variants whose weight is the annotation itself.
        explanations: the name of the explanation of each variant that compares features; "" of the others.
    """

    forms: tuple[str, ...]
    annotations: tuple[str, ...]
    explanations: Mapping[str, str]

    @classmethod
    def of(cls, variants: Mapping[str, Variant]) -> Self:
        """The roles of the variants of a config."""
        explained = {name: variant for name, variant in variants.items() if variant.explanation}
        return cls(
            forms=tuple(name for name, variant in explained.items() if variant.is_form),
            annotations=tuple(name for name, each in explained.items() if (each.explanation or {}).get("feature") == "mask"),
            explanations={name: variant.explanation_name if variant.compares else "" for name, variant in variants.items()},
        )

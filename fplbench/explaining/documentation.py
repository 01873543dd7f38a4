"""The features that can be explained as text, from what they declare."""

from itertools import product
from typing import get_args

from fplbench.explaining.options import Activation, ExplanationOptions, Readout
from fplbench.explaining.registry import FEATURES, Feature


def describe_features() -> str:
    """Markdown: a table of the features, with equation, options, source, and whether L_FP on their maps has a gradient."""
    lines = [["feature", "title", "equation", "options", "source", "gradient of L_FP"], ["---"] * 6]
    lines += [
        [f"`{name}`", feature.title, feature.equation, ", ".join(feature.options) or "none", feature.cites, _gradient(feature)]
        for name, feature in FEATURES.items()
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _gradient(feature: Feature) -> str:
    """For which readouts and activations L_FP has a gradient."""
    if "readout" not in feature.options:
        return "yes" if ExplanationOptions(feature=feature.name).has_gradient else "none"
    flat = [
        f"{activation} and {readout}"
        for activation, readout in product(get_args(Activation), get_args(Readout))
        if not ExplanationOptions(feature=feature.name, activation=activation, readout=readout).has_gradient
    ]
    return f"yes, but not with {' or '.join(flat)}" if flat else "yes"

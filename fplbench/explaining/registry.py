"""What can be found in an image, and the registry that finds it by name."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fplbench.errors import InputError
from fplbench.registry import Registry

if TYPE_CHECKING:
    import torch
    from torch import nn

    from fplbench.explaining.options import ExplanationOptions

# From the explained network (None where the feature needs none), images (N, 1, H, W) in [0, 1], the options, and whether the maps
# are to be differentiable with respect to the images, to maps (N, C, h, w).
FeatureFunction = Callable[["nn.Module | None", "torch.Tensor", Any, bool], "torch.Tensor"]


def curved(options: "ExplanationOptions") -> bool:
    """Whether the readout of a network has a second derivative: not if both it and the network are piecewise linear."""
    return not (options.readout == "sum" and options.activation == "relu")


@dataclass(frozen=True)
class Feature:
    """A kind of feature that an explanation finds in images.

    Attributes:
        name: in the config, in file names and on the command line.
        title: for people.
        function: computes the maps.
        options: the fields of `ExplanationOptions` that it takes; "network" if it explains one.
        equation: what it computes, as a formula in plain text.
        cites: where it comes from, as the documentation's list of sources has it.
        has_gradient: whether, with these options, the maps have a derivative with respect to the image that is not zero almost
            everywhere, so that L_FP can compare them. That of a ReLU network is piecewise linear, and its gradient piecewise
            constant.
        of_images: whether it is found in images; else it is an annotation of the clean image, which only a weight can use.
        level: the level of the encoder that it reads where the options name none; None: the output of the network.
        check: raises ValueError, with a sentence, if options do not fit each other.
    """

    name: str
    title: str
    function: FeatureFunction
    options: tuple[str, ...]
    equation: str
    cites: str
    has_gradient: "Callable[[ExplanationOptions], bool]" = lambda options: True
    of_images: bool = True
    level: int | None = None
    check: "Callable[[ExplanationOptions], None]" = lambda options: None

    @property
    def summary(self) -> str:
        """First line of the function's documentation."""
        return (self.function.__doc__ or "").strip().partition("\n")[0]


FEATURES: Registry[Feature] = Registry("feature", "fplbench.explaining.features")


def feature(name: str, *, title: str, **declared: Any) -> Callable[[FeatureFunction], FeatureFunction]:
    """Decorator that registers a function as a feature; `declared` are further attributes of `Feature`."""

    def register(function: FeatureFunction) -> FeatureFunction:
        FEATURES.add(name, Feature(name, title, function, **declared))
        return function

    return register


def explain(
    network: "nn.Module | None", images: "torch.Tensor", options: "ExplanationOptions", create_graph: bool = False
) -> "torch.Tensor":
    """Maps of the features that an explanation finds in images.

    Args:
        network: the explained network, which is put into evaluation mode meanwhile; None where the feature needs none.
        images: floating point (N, 1, H, W) in [0, 1], with sides that the network takes.
        options: which features, and how.
        create_graph: whether the maps are to be differentiable with respect to the images.

    Returns:
        (N, C, h, w) of the dtype of the images, detached unless `create_graph` is true. C, h and w depend on the feature; for
        maps of the image they are 1, H and W.

    Raises:
        InputError: the images are not a floating point tensor (N, 1, H, W), there is no network although the feature explains
            one, the network is of another kind, or the feature is not found in images.
    """
    import torch

    from fplbench.explaining.guided import check_images, check_network

    check_images(images)
    if options.needs_network:
        if network is None:
            raise InputError(f"The feature {options.feature} explains a network, but none is given.")
        check_network(network)
    with torch.set_grad_enabled(create_graph):
        return FEATURES[options.feature].function(network, images, options, create_graph)

"""What a training does with features of clean images: the network that L_FP explains, or weights of the pixels."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fplbench.errors import InputError
from fplbench.explaining.options import ExplanationOptions
from fplbench.training.denoiser import DenoiserOptions
from fplbench.training.registry import Inputs

if TYPE_CHECKING:
    import torch

    from fplbench.networks.unet import UNet


@dataclass(frozen=True)
class Explained:
    """What L_FP compares with.

    Attributes:
        network: the explained network; None where the features need none.
        clean_maps: F_clean (all, H, W) or (all, C, h, w), on the device.
        explanation: fields of `ExplanationOptions`.
    """

    network: "UNet | None"
    clean_maps: "torch.Tensor"
    explanation: Mapping[str, Any]

    def frozen(self) -> "Explained":
        """The same with a frozen copy of the network, whose second derivative is faster."""
        from fplbench.networks.unet import fold_batch_norm

        return self if self.network is None else replace(self, network=fold_batch_norm(self.network))

    def loss(self, denoised: "torch.Tensor", positions: "torch.Tensor", normalise: bool) -> "torch.Tensor":
        """L_FP of denoised images (N, 1, H, W), whose clean images are at these positions."""
        from fplbench.explaining.registry import explain
        from fplbench.losses import feature_preserving_loss

        # In float32: the maps are compared with F_clean, and bfloat16 would drown the difference.
        maps = explain(self.network, denoised, ExplanationOptions(**self.explanation), create_graph=True)
        return feature_preserving_loss(maps, self.clean_maps[positions].float().reshape(maps.shape), normalise=normalise)


@dataclass(frozen=True)
class Features:
    """What the loss of a training has of features, and where that comes from.

    Attributes:
        explained: what L_FP compares with; None without L_FP.
        weights: float32 (all, H, W), on the device, weights of the pixels; None: all count alike.
        explanation: fields of `ExplanationOptions`.
        files: the files that were read.
    """

    explained: Explained | None
    weights: "torch.Tensor | None"
    explanation: Mapping[str, Any]
    files: list[Path]


def read_features(inputs: Inputs, options: DenoiserOptions, device: "torch.device") -> Features:
    """Read what the loss needs of features.

    The file of the explained network is compared with the one that the features were made with, but its weights are only read if
    L_FP explains it.

    Raises:
        InputError: a file is not given, the features are of another network or other images, or L_FP has no gradient.
    """
    import numpy as np
    import torch

    from fplbench.explaining.maps import explained_network, open_features
    from fplbench.stacks import open_stack
    from fplbench.training.loop.pixel_weights import pixel_weights

    if "features" not in inputs:
        raise InputError(
            "Features are part of the loss, so the training needs --features, and --explained if they are of a network."
        )
    needs_network = _needs_network(inputs["features"])
    if needs_network and "explained" not in inputs:
        raise InputError(f"The features {inputs['features']} are of a network, so the training needs --explained, its weights.")
    network_file = inputs["explained"] if needs_network else None
    maps, explanation = open_features(inputs["features"], network_file, inputs["clean"])
    explanation_options = ExplanationOptions(**explanation)
    check_gradient(options, explanation_options)
    files = [*([network_file] if network_file else []), inputs["features"]]
    if options.feature_use == "weight":
        height, width = open_stack(inputs["clean"]).shape[1:]
        weights = pixel_weights(maps, (height, width), options.feature_strength, options.feature_quantile, device)
        return Features(None, weights, explanation, files)
    network = explained_network(network_file, explanation_options, str(device))
    if network is not None:
        network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Features(Explained(network, torch.from_numpy(np.array(maps)).to(device), explanation), None, explanation, files)


def _needs_network(features: Path) -> bool:
    """Whether features are of a network, by the record beside them; one that cannot be read is left to `open_features`."""
    try:
        return ExplanationOptions(**json.loads(features.with_suffix(".json").read_text())["explanation"]).needs_network
    except (OSError, ValueError, KeyError, TypeError):
        return False


def check_gradient(options: DenoiserOptions, explanation: ExplanationOptions) -> None:
    """Raise InputError where L_FP could teach nothing: the summed map of a ReLU network has no derivative.

    Lesions that are annotated cannot be found in a denoised image, so that there is no L_FP of them at all.
    """
    if not options.explains or options.feature_use == "weight":
        return
    if not explanation.of_images:
        raise InputError(
            f"explanation.feature {explanation.feature} is not found in images, so that L_FP cannot compare it: set "
            "training.fpl.feature_use to weight."
        )
    if not explanation.has_gradient and not options.allow_zero_gradient:
        raise InputError(
            f"explanation.readout {explanation.readout} with explanation.activation {explanation.activation} makes L_FP "
            "piecewise constant, so its gradient is zero and the denoiser learns nothing from it: use activation softplus, or "
            "set training.fpl.allow_zero_gradient to true to run it as a control."
        )

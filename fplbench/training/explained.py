"""What the feature preserving loss compares with: the explained network and its maps of the clean images."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
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
        restoration: the explained network.
        clean_maps: F_clean (all, H, W), on the device.
        explanation: readout, activation and beta of guided_backprop.
    """

    restoration: "UNet"
    clean_maps: "torch.Tensor"
    explanation: Mapping[str, Any]

    def frozen(self) -> "Explained":
        """The same with a frozen copy of the network, whose second derivative is faster."""
        from fplbench.networks.unet import fold_batch_norm

        return replace(self, restoration=fold_batch_norm(self.restoration))

    def loss(self, denoised: "torch.Tensor", positions: "torch.Tensor", normalise: bool) -> "torch.Tensor":
        """L_FP of denoised images (N, 1, H, W), whose clean images are at these positions."""
        from fplbench.explaining.options import ExplanationOptions
        from fplbench.explaining.registry import explain
        from fplbench.losses import feature_preserving_loss

        # In float32: the maps are compared with F_clean, and bfloat16 would drown the difference.
        maps = explain(self.restoration, denoised, ExplanationOptions(**self.explanation), create_graph=True)
        return feature_preserving_loss(maps, self.clean_maps[positions].unsqueeze(1).float(), normalise=normalise)


def read_explained(inputs: Inputs, options: DenoiserOptions, device: "torch.device") -> Explained:
    """Read what L_FP needs.

    Raises:
        InputError: a file is not given, the features are of another network or other images, or L_FP has no gradient.
    """
    import numpy as np
    import torch

    from fplbench.explaining.maps import open_features
    from fplbench.networks import weights

    if "restoration" not in inputs or "features" not in inputs:
        raise InputError("The feature preserving loss is on, so the training needs --restoration and --features.")
    maps, explanation = open_features(inputs["features"], inputs["restoration"], inputs["clean"])
    check_gradient(options, ExplanationOptions(**explanation))
    network, _ = weights.load(inputs["restoration"], device=str(device))
    network = network.to(memory_format=torch.channels_last)
    return Explained(network, torch.from_numpy(np.array(maps)).to(device), explanation)


def check_gradient(options: DenoiserOptions, explanation: ExplanationOptions) -> None:
    """Raise InputError where L_FP could teach nothing: the summed map of a ReLU network has no derivative."""
    piecewise = explanation.readout == "sum" and explanation.activation == "relu"
    if piecewise and options.explains and not options.allow_zero_gradient:
        raise InputError(
            "explanation.readout sum with explanation.activation relu makes L_FP piecewise constant, so its gradient is zero and "
            "the denoiser learns nothing from it: use activation softplus, or set training.fpl.allow_zero_gradient to true to "
            "run it as a control."
        )

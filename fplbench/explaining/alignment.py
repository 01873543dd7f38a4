"""Whether feature preserving losses point from a denoised image to the clean one, measured before anyone trains with them."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from fplbench.errors import InputError
from fplbench.explaining.named import ROLES, check_networks
from fplbench.explaining.options import ExplanationOptions

if TYPE_CHECKING:
    import torch
    from torch import nn

    # From images (N, 1, H, W), and whether the maps are to be differentiable with respect to them, to maps (N, C, h, w).
    Find = Callable[["torch.Tensor", bool], "torch.Tensor"]

PathLike = str | os.PathLike[str]
RESIDUAL = "residual"
"""Name of L_res itself, the control: its cosine is 1, and it falls quadratically."""
PLACES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Where L_FP is measured on the line from the denoised image, 0, to the clean one, 1."""
# Explanations of any network; the names in the table begin with the network where it is not the paper's.
OF_NETWORKS: Mapping[str, Mapping[str, Any]] = {
    "guided": {},
    "guided_beta_10": {"beta": 10.0},
    "half_square": {"readout": "half_square", "activation": "relu"},
    "sigmoid_sum": {"readout": "sigmoid_sum", "activation": "relu"},
    "guided_0": {"level": 0, "readout": "half_square", "beta": 10.0},
    "encoder_0": {"feature": "encoder", "level": 0},
}


@dataclass(frozen=True)
class Alignment:
    """How L_FP of one explanation relates to the error of denoised images.

    Attributes:
        cosines: (N,), between minus the gradient of L_FP at a denoised image and clean - denoised; NaN where either is zero.
        ratio: norm of the gradient of L_FP over that of L_res, over all images together; NaN if there is no gradient.
        losses: (N, 5), L_FP at `PLACES` of the line from the denoised to the clean image, relative to its start; NaN if that is 0
            or cannot be computed.
        seconds: time for all images.
    """

    cosines: np.ndarray
    ratio: float
    losses: np.ndarray
    seconds: float

    @property
    def has_gradient(self) -> bool:
        """Whether L_FP has a gradient at any image."""
        return bool(np.isfinite(self.cosines).any())


def default_explanations(networks: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Explanations to compare where none are named: those of the paper, as published first, and controls.

    Args:
        networks: the explained networks that there are, by role.
    """
    found: dict[str, dict[str, Any]] = {}
    for role in ROLES:
        if role in networks:
            if role == "restoration":
                found["as_published"] = {"activation": "relu"}
            prefix = "" if role == "restoration" else f"{role}_"
            found |= {f"{prefix}{name}": {"network": role, **options} for name, options in OF_NETWORKS.items()}
    return {**found, "sobel": {"feature": "sobel"}}


def alignments(
    denoiser: PathLike,
    clean: PathLike,
    noisy: PathLike,
    explanations: Mapping[str, ExplanationOptions],
    networks: Mapping[str, PathLike],
    images: int = 16,
    device: str = "auto",
) -> dict[str, Alignment]:
    """Alignment of each explanation's L_FP, normalised by image, with the error of a trained denoiser.

    Images whose sides are not multiples of what the networks need are extended at the bottom and right by reflection.

    Args:
        denoiser: weight file of a network that returns the denoised image or the noise.
        clean: the clean stack (N, H, W).
        noisy: the noisy stack of the same images.
        explanations: explanations by name.
        networks: weight files of the explained networks by role: restoration, lesion or random.
        images: number of images, at even distances in the stack.
        device: auto, cpu or cuda.

    Returns:
        Alignments by name; the first is `RESIDUAL`.

    Raises:
        InputError: the stacks do not belong together, a weight file is missing, or holds another network.
    """
    from fplbench.device import choose_device
    from fplbench.networks.inference import pad_to_multiple, to_tensor
    from fplbench.scoring.matching import open_matching
    from fplbench.stacks import open_stack, spread

    check_networks(explanations, networks)
    target = choose_device(device)
    stack = open_stack(clean)
    other = open_matching(noisy, stack, clean)
    network, output, multiple = _read_denoiser(denoiser, target)
    positions = spread(len(stack), images)
    wanted, given = (to_tensor(pad_to_multiple(images[positions], multiple), target) for images in (stack, other))
    denoised = _denoised(network, output, given)
    found = {RESIDUAL: alignment(lambda images, _: images, denoised, wanted, normalise=False)}
    frozen: dict[str, Any] = {}
    for name, options in explanations.items():
        role = options.network if options.needs_network else ""
        if role not in frozen:
            frozen[role] = _frozen(networks.get(role), options, device)
        found[name] = _alignment_of(options, frozen[role], denoised, wanted)
    return found


def alignment(
    find: "Find", denoised: "torch.Tensor", clean: "torch.Tensor", normalise: bool = True, differentiable: bool = True
) -> Alignment:
    """Alignment of the loss ||F(x) - F(clean)||^2 of some features F with the error of images x.

    Args:
        find: from images (N, 1, H, W), and whether the maps are to be differentiable, to maps F (N, C, h, w).
        denoised: images (N, 1, H, W) with errors.
        clean: the images without errors, of the same shape.
        normalise: whether the loss of each image is divided by the variance of its F(clean).
        differentiable: whether the loss has a gradient.
    """
    import torch

    started = perf_counter()
    cosines, losses, norms, errors = [], [], [], []
    for start, end in zip(denoised.split(1), clean.split(1), strict=True):
        error = end - start
        along = torch.cat([start.lerp(end, place) for place in PLACES])
        maps = find(along, False).detach()
        values = np.array([_loss(each, maps[-1:], normalise).item() for each in maps.split(1)])
        losses.append(values / values[0] if values[0] else np.full(len(PLACES), np.nan))
        gradient = _gradient(find, start, maps[-1:], normalise) if differentiable else torch.zeros_like(start)
        norms.append(gradient.norm().item())
        errors.append(error.norm().item())
        scale = norms[-1] * errors[-1]
        cosines.append(-(gradient * error).sum().item() / scale if scale else np.nan)
    of_residual = 2 * float(np.linalg.norm(errors))  # the gradient of ||x - clean||^2 is 2 (x - clean)
    norm = float(np.linalg.norm(norms))
    ratio = norm / of_residual if norm and of_residual else np.nan
    return Alignment(np.array(cosines), ratio, np.stack(losses), perf_counter() - started)


def _alignment_of(
    options: ExplanationOptions, network: "nn.Module | None", denoised: "torch.Tensor", clean: "torch.Tensor"
) -> Alignment:
    from fplbench.explaining.registry import explain

    if not options.of_images:  # an annotation of the clean image, with which no image can be compared
        undefined = np.full((len(clean), 1 + len(PLACES)), np.nan)
        return Alignment(undefined[:, 0], np.nan, undefined[:, 1:], 0.0)

    def find(images: "torch.Tensor", create_graph: bool) -> "torch.Tensor":
        return explain(network, images, options, create_graph)

    return alignment(find, denoised, clean, differentiable=options.has_gradient)


def _gradient(find: "Find", image: "torch.Tensor", wanted: "torch.Tensor", normalise: bool) -> "torch.Tensor":
    """Gradient of the loss at an image (1, 1, H, W)."""
    import torch

    image = image.clone().requires_grad_()
    loss = _loss(find(image, True), wanted, normalise)
    return torch.autograd.grad(loss, image)[0] if loss.requires_grad else torch.zeros_like(image)


def _loss(maps: "torch.Tensor", wanted: "torch.Tensor", normalise: bool) -> "torch.Tensor":
    from fplbench.losses import feature_preserving_loss

    return feature_preserving_loss(maps, wanted, normalise)


def _frozen(path: PathLike | None, options: ExplanationOptions, device: str) -> "nn.Module | None":
    """The explained network in the form in which trainings explain it, which is the fastest."""
    from fplbench.explaining.maps import explained_network
    from fplbench.networks.unet import fold_batch_norm

    network = explained_network(path, options, device)
    return None if network is None else fold_batch_norm(network)


def _read_denoiser(path: PathLike, device: "torch.device") -> "tuple[nn.Module, str, int]":
    """A trained denoiser, what it returns, and of what the sides of its images must be multiples."""
    import math

    import torch

    from fplbench.networks import weights
    from fplbench.networks.unet import UNET_MULTIPLE
    from fplbench.peers import PEERS

    network, metadata = weights.load(path, str(device))
    architecture = metadata["architecture"]
    declared, multiple = (PEERS[architecture].output, PEERS[architecture].multiple) if architecture in PEERS else (None, 1)
    output = metadata.get("output", declared)
    if output not in ("image", "noise"):
        returned = f"the network returns {output!r}" if output else "nothing about what the network returns"
        raise InputError(
            f"{path} cannot be used as the denoiser: its header says {returned}, but the denoised image or the noise is needed."
        )
    return network.to(memory_format=torch.channels_last), output, math.lcm(UNET_MULTIPLE, multiple)


def _denoised(network: "nn.Module", output: str, noisy: "torch.Tensor") -> "torch.Tensor":
    """Denoised images (N, 1, H, W) as a training sees them, neither rounded nor clipped."""
    import torch

    with torch.no_grad():  # not inference_mode, whose tensors no gradient can be computed at
        found = torch.cat([network(image) for image in noisy.split(1)])
    return noisy - found if output == "noise" else found

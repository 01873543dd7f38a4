"""Maps of features of whole stacks, in memory and on disk."""

import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fplbench.device import choose_device
from fplbench.errors import InputError
from fplbench.explaining.options import ExplanationOptions
from fplbench.explaining.registry import explain
from fplbench.files import file_hash, write_text
from fplbench.networks.inference import load_network, pad_to_multiple, to_tensor
from fplbench.networks.unet import UNET_MULTIPLE, UNet
from fplbench.registry import parse_options
from fplbench.stacks import check_images, creating_stack, iterate, open_stack

log = logging.getLogger(__name__)

PathLike = str | os.PathLike[str]
OUTPUTS = {"restoration": "image", "lesion": "lesion", "random": "random"}
"""What the header of a weight file says that the network returns, by its role."""


def feature_maps(
    weights: PathLike | None, images: np.ndarray, device: str = "auto", chunk: int = 16, **explanation: Any
) -> np.ndarray:
    """Maps F of the features of 8-bit images, by default those of guided back-propagation.

    Images whose sides are not multiples of 16 are extended at the bottom and right by reflection, and the maps cropped.

    Args:
        weights: weight file of the explained network; None where the feature needs none.
        images: uint8 (N, H, W).
        device: auto, cpu or cuda.
        chunk: number of images that go through the network at once.
        **explanation: fields of `ExplanationOptions`.

    Returns:
        float32 (N, H, W); features of several channels, or of another resolution, are (N, C, h, w).

    Raises:
        InputError: the images are not uint8 (N, H, W), the weight file cannot be used, or the explanation is unknown.
    """
    check_images(images, "The array of images")
    options = parse_options(ExplanationOptions, explanation, "explanation")
    return np.concatenate([_maps_of(weights, images[part], device, options) for part in iterate(images, chunk)])


def write_features(weights: PathLike | None, clean: PathLike, out: PathLike, device: str = "auto", **explanation: Any) -> None:
    """Write the feature maps of a stack, and a .json file beside them that says what they were made from.

    Args:
        weights: weight file of the explained network; None where the feature needs none.
        clean: the stack (N, H, W).
        out: the .npy file, float16 (N, H, W), or (N, C, h, w).
        device: auto, cpu or cuda.
        **explanation: fields of `ExplanationOptions`.
    """
    images = open_stack(clean)
    options = parse_options(ExplanationOptions, explanation, "explanation")
    first = _maps_of(weights, images[:1], device, options)
    largest = float(np.finfo(np.float16).max)
    with creating_stack(out, (len(images), *first.shape[1:]), dtype=np.float16) as maps:
        clipped = 0
        for part in iterate(images):
            values = _maps_of(weights, images[part], device, options)
            clipped += int((np.abs(values) > largest).sum())
            maps[part] = values.clip(-largest, largest)
        if clipped:
            log.warning(
                "%d values of %s exceed the range of float16 and were clipped; train the explained network longer.",
                clipped,
                out,
            )
    write_text(_record_path(out), json.dumps(_record(weights, clean, options.model_dump(mode="json")), indent=1) + "\n")


def _maps_of(network: PathLike | None, images: np.ndarray, device: str, options: ExplanationOptions) -> np.ndarray:
    """Maps of some images, as `feature_maps` returns them."""
    loaded = explained_network(network, options, device)
    height, width = images.shape[1:]
    batch = to_tensor(pad_to_multiple(images, UNET_MULTIPLE), choose_device(device))
    maps = explain(loaded, batch, options)
    scale = batch.shape[2] // maps.shape[2]  # a level of the encoder has fewer pixels
    found = maps[:, :, : -(-height // scale), : -(-width // scale)].detach().cpu().numpy()
    return found[:, 0] if found.shape[1:] == (1, height, width) else found


def explained_network(path: PathLike | None, options: ExplanationOptions, device: str) -> "UNet | None":
    """The network that an explanation is of, frozen; None where it needs none.

    Raises:
        InputError: no file is given, or it holds another network.
    """
    if not options.needs_network:
        return None
    if path is None:
        raise InputError(f"The feature {options.feature} needs the weight file of the {options.network} network.")
    return load_network(path, UNet, device, output=OUTPUTS[options.network]).requires_grad_(False)


def open_features(path: PathLike, network: PathLike | None, clean: PathLike) -> tuple[np.ndarray, dict[str, Any]]:
    """Open the maps of a stack, memory-mapped.

    Returns:
        float16 (N, H, W) or (N, C, h, w), and the explanation with which they were made.

    Raises:
        InputError: the maps cannot be read, or were made from other images or with another network.
    """
    try:
        found = json.loads(_record_path(path).read_text())
        maps = np.load(path, mmap_mode="r", allow_pickle=False)
        expected = _record(network, clean, found["explanation"])
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"The feature maps {path} cannot be used: {error}.") from None
    other = [name for name, value in expected.items() if found.get(name) != value]
    if other:
        raise InputError(
            f"The feature maps {path} were made with another {' and another '.join(other)} than {network} and {clean}. "
            "Make them again with fplbench features."
        )
    return maps, found["explanation"]


def _record(network: PathLike | None, clean: PathLike, explanation: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "explained network": file_hash(network) if network else None,
        "clean stack": file_hash(clean),
        "explanation": dict(explanation),
    }


def _record_path(path: PathLike) -> Path:
    return Path(path).with_suffix(".json")

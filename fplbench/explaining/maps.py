"""Maps of features of whole stacks, in memory and on disk."""

import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from fplbench.device import choose_device, in_memory
from fplbench.errors import InputError
from fplbench.explaining.options import ExplanationOptions, at_once
from fplbench.explaining.registry import explain
from fplbench.files import file_hash, write_text
from fplbench.lesions.stack import lesions_path, open_lesions, share_of_annotations
from fplbench.networks.inference import load_network, pad_to_multiple, to_tensor
from fplbench.networks.unet import UNET_MULTIPLE, UNet
from fplbench.registry import parse_options
from fplbench.stacks import check_images, creating_stack, iterate, map_array, open_stack

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
        InputError: the images are not uint8 (N, H, W), the weight file cannot be used, the explanation is unknown, or the feature
            is not found in images.
    """
    check_images(images, "The array of images")
    options = parse_options(ExplanationOptions, explanation, "explanation")
    network = explained_network(weights, options, device)
    return np.concatenate([_maps_of(network, images[part], device, options) for part in iterate(images, chunk)])


def write_features(weights: PathLike | None, clean: PathLike, out: PathLike, device: str = "auto", **explanation: Any) -> None:
    """Write the feature maps of a stack, and a .json file beside them that says what they were made from.

    Args:
        weights: weight file of the explained network; None where the feature needs none.
        clean: the stack (N, H, W).
        out: the .npy file, float16 (N, H, W), or (N, C, h, w).
        device: auto, cpu or cuda.
        **explanation: fields of `ExplanationOptions`.

    Raises:
        InputError: the stack or the weight file cannot be used, the explanation is unknown, or the feature is the annotated
            lesions and there is no lesion stack beside the clean one.
    """
    images = open_stack(clean)
    options = parse_options(ExplanationOptions, explanation, "explanation")
    maps_of = _finder(weights, clean, images, device, options)
    first = maps_of(slice(0, 1))
    largest = float(np.finfo(np.float16).max)
    with creating_stack(out, (len(images), *first.shape[1:]), dtype=np.float16) as maps:
        clipped = 0
        for part in iterate(images, at_once(images.shape[1] * images.shape[2])):
            values = maps_of(part)
            clipped += int((np.abs(values) > largest).sum())
            maps[part] = values.clip(-largest, largest)
        if clipped:
            log.warning(
                "%d values of %s exceed the range of float16 and were clipped; train the explained network longer.",
                clipped,
                out,
            )
        # First, as other jobs ask for the maps alone: where there are maps, there is their record.
        write_text(_record_path(out), json.dumps(_record(weights, clean, options), indent=1) + "\n")


def _finder(
    weights: PathLike | None, clean: PathLike, images: np.ndarray, device: str, options: ExplanationOptions
) -> Callable[[slice], np.ndarray]:
    """A function that returns the maps of a part of a stack."""
    if not options.of_images:
        lesions, _ = open_lesions(clean)
        kept = share_of_annotations(lesions, options.annotations)
        return lambda part: ((lesions[part] > 0) & kept[part, None, None]).astype(np.float32)
    network = explained_network(weights, options, device)
    return lambda part: _maps_of(network, images[part], device, options)


def _maps_of(network: UNet | None, images: np.ndarray, device: str, options: ExplanationOptions) -> np.ndarray:
    """Maps of some images, as `feature_maps` returns them; of fewer at once where memory runs out."""

    def attempt(at_once: int) -> np.ndarray:
        return np.concatenate([_maps_at_once(network, images[part], device, options) for part in iterate(images, at_once)])

    return in_memory(attempt, len(images), "Explaining")[0]


def _maps_at_once(network: UNet | None, images: np.ndarray, device: str, options: ExplanationOptions) -> np.ndarray:
    height, width = images.shape[1:]
    batch = to_tensor(pad_to_multiple(images, UNET_MULTIPLE), choose_device(device))
    maps = explain(network, batch, options)
    scale = batch.shape[2] // maps.shape[2]  # a level of the encoder has fewer pixels
    found = maps[:, :, : -(-height // scale), : -(-width // scale)].cpu().numpy()
    return found[:, 0] if found.shape[1:] == (1, height, width) else found


def explained_network(path: PathLike | None, options: ExplanationOptions, device: str) -> UNet | None:
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

    Args:
        path: the .npy file, with its .json file beside it.
        network: weight file of the explained network; without effect where the feature needs none.
        clean: the stack that the maps are of.

    Returns:
        float16 (N, H, W) or (N, C, h, w), and the explanation with which they were made, complete.

    Raises:
        InputError: the maps cannot be read, or were made from other images, other lesions or with another network.
    """
    try:
        found = json.loads(_record_path(path).read_text())
        maps = map_array(path)
        options = parse_options(ExplanationOptions, found["explanation"], "explanation")
        expected = _record(network, clean, options)
    except InputError as error:
        raise InputError(f"The feature maps {path} cannot be used: {error}") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"The feature maps {path} cannot be used: {error}.") from None
    other = [name for name, value in expected.items() if name != "explanation" and found.get(name) != value]
    if other:
        raise InputError(
            f"The feature maps {path} were made with another {' and another '.join(other)} than {network} and {clean}. "
            "Make them again with fplbench features."
        )
    return maps, expected["explanation"]


def _record(network: PathLike | None, clean: PathLike, options: ExplanationOptions) -> dict[str, Any]:
    """What maps are made from: hashes of files, and the explanation."""
    record: dict[str, Any] = {
        "explained network": file_hash(network) if network and options.needs_network else None,
        "clean stack": file_hash(clean),
    }
    if not options.of_images:
        record["lesion stack"] = file_hash(lesions_path(clean))
    return {**record, "explanation": options.model_dump(mode="json")}


def _record_path(path: PathLike) -> Path:
    return Path(path).with_suffix(".json")

"""Feature maps of whole stacks, in memory and on disk."""

import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fplbench.device import choose_device
from fplbench.errors import InputError
from fplbench.explaining.guided import guided_backprop
from fplbench.files import file_hash, write_text
from fplbench.networks.inference import load_network, pad_to_multiple, to_tensor
from fplbench.networks.unet import UNET_MULTIPLE, UNet
from fplbench.stacks import check_images, creating_stack, iterate, open_stack

log = logging.getLogger(__name__)


def feature_maps(
    restoration: str | os.PathLike[str], images: np.ndarray, device: str = "auto", chunk: int = 16, **explanation: Any
) -> np.ndarray:
    """Guided back-propagation maps F of 8-bit images.

    Images whose sides are not multiples of 16 are extended at the bottom and right by reflection, and the maps cropped.

    Args:
        restoration: weight file of the restoration network.
        images: uint8 (N, H, W).
        device: auto, cpu or cuda.
        chunk: number of images that go through the network at once.
        **explanation: readout, activation and beta of guided_backprop.

    Returns:
        float32 (N, H, W).

    Raises:
        InputError: the images are not uint8 (N, H, W), the weight file cannot be used, or the explanation is unknown.
    """
    check_images(images, "The array of images")
    target = choose_device(device)
    network = load_network(restoration, UNet, device, output="image").requires_grad_(False)
    height, width = images.shape[1:]
    maps = np.empty(images.shape, np.float32)
    for part in iterate(images, chunk):
        batch = to_tensor(pad_to_multiple(images[part], UNET_MULTIPLE), target)
        maps[part] = guided_backprop(network, batch, **explanation)[:, 0, :height, :width].cpu().numpy()
    return maps


def write_features(
    restoration: str | os.PathLike[str],
    clean: str | os.PathLike[str],
    out: str | os.PathLike[str],
    device: str = "auto",
    **explanation: Any,
) -> None:
    """Write the guided back-propagation maps of a stack, and a .json file beside them that says what they were made from.

    Args:
        restoration: weight file of the restoration network.
        clean: the stack (N, H, W).
        out: the .npy file, float16 (N, H, W).
        device: auto, cpu or cuda.
        **explanation: readout, activation and beta of guided_backprop.
    """
    images = open_stack(clean)
    largest = float(np.finfo(np.float16).max)
    with creating_stack(out, images.shape, dtype=np.float16) as maps:
        clipped = 0
        for part in iterate(images):
            values = feature_maps(restoration, images[part], device, **explanation)
            clipped += int((np.abs(values) > largest).sum())
            maps[part] = values.clip(-largest, largest)
        if clipped:
            log.warning(
                "%d values of %s exceed the range of float16 and were clipped; train the restoration network longer.",
                clipped,
                out,
            )
    write_text(_record_path(out), json.dumps(_record(restoration, clean, explanation), indent=1) + "\n")


def open_features(
    path: str | os.PathLike[str], restoration: str | os.PathLike[str], clean: str | os.PathLike[str]
) -> tuple[np.ndarray, dict[str, Any]]:
    """Open the maps of a stack, memory-mapped.

    Returns:
        float16 (N, H, W), and the explanation with which they were made: readout, activation and beta.

    Raises:
        InputError: the maps cannot be read, or were made from other images or with another restoration network.
    """
    try:
        found = json.loads(_record_path(path).read_text())
        maps = np.load(path, mmap_mode="r", allow_pickle=False)
        expected = _record(restoration, clean, found["explanation"])
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"The feature maps {path} cannot be used: {error}.") from None
    other = [name for name, value in expected.items() if found.get(name) != value]
    if other:
        raise InputError(
            f"The feature maps {path} were made with another {' and another '.join(other)} than {restoration} and {clean}. "
            "Make them again with fplbench features."
        )
    return maps, found["explanation"]


def _record(restoration: str | os.PathLike[str], clean: str | os.PathLike[str], explanation: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "restoration network": file_hash(restoration),
        "clean stack": file_hash(clean),
        "explanation": dict(explanation),
    }


def _record_path(path: str | os.PathLike[str]) -> Path:
    return Path(path).with_suffix(".json")

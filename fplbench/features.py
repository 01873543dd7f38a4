"""Feature maps of whole stacks: F_clean on disk, and how far denoised images are from it."""

import json
import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fplbench.errors import InputError
from fplbench.explain import feature_maps
from fplbench.scoring import feature_error
from fplbench.stacks import creating_stack, file_hash, iterate, open_stack, read_index, replacing, write_csv

log = logging.getLogger(__name__)


def write_features(
    restoration: str | os.PathLike,
    clean: str | os.PathLike,
    out: str | os.PathLike,
    device: str = "auto",
    **explanation,
) -> None:
    """Write the guided back-propagation maps of a stack, and beside them (.json) what they were made with.

    Args:
        restoration: weight file of the restoration network.
        clean: the stack (N, H, W).
        out: the .npy file, float16 (N, H, W).
        device: auto, cpu or cuda.
        explanation: readout, activation and beta of guided_backprop.
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
                "%d values of %s are beyond float16 and were clipped: train the restoration network longer.",
                clipped,
                out,
            )
    with replacing(_record_path(out)) as temporary:
        temporary.write_text(json.dumps(_record(restoration, clean, explanation), indent=1) + "\n")


def open_features(
    path: str | os.PathLike, restoration: str | os.PathLike, clean: str | os.PathLike, explanation: Mapping[str, Any]
) -> np.ndarray:
    """Open the maps of a stack, memory-mapped.

    Returns:
        float16 (N, H, W).

    Raises:
        InputError: the maps were made with another restoration network, of other images, or with another explanation.
    """
    try:
        found = json.loads(_record_path(path).read_text())
        maps = np.load(path, mmap_mode="r", allow_pickle=False)
        expected = _record(restoration, clean, explanation)
    except (OSError, ValueError) as error:
        raise InputError(f"the features {path} cannot be used: {error}.") from None
    other = [name for name, value in expected.items() if found.get(name) != value]
    if other:
        raise InputError(
            f"the features {path} were made with another {' and another '.join(other)} than {restoration}, {clean} and the "
            "config: make them again."
        )
    return maps


def _record(restoration, clean, explanation: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "restoration network": file_hash(restoration),
        "clean stack": file_hash(clean),
        "explanation": dict(explanation),
    }


def _record_path(path: str | os.PathLike) -> Path:
    return Path(path).with_suffix(".json")


def write_feature_errors(
    restoration: str | os.PathLike,
    clean: str | os.PathLike,
    denoised: Sequence[str | os.PathLike],
    out: str | os.PathLike,
    device: str = "auto",
    **explanation,
) -> None:
    """Score how well methods keep the features: ||F_denoised - F_clean||^2 / ||F_clean||^2 of every image.

    Args:
        restoration: weight file of the restoration network, the same for all methods.
        clean: the clean stack (N, H, W), with its index.
        denoised: a stack of the same images by each method, named {method}.npy.
        out: the .csv file: method, image_id, feature_error.
        device: auto, cpu or cuda.
        explanation: readout, activation and beta of guided_backprop.

    Raises:
        InputError: a stack is of another shape than the clean one.
    """
    images = open_stack(clean)
    names = [row["image_id"] for row in read_index(clean)]
    clean_maps = feature_maps(restoration, images, device, **explanation)
    rows = []
    for path in denoised:
        other = open_stack(path)
        if other.shape != images.shape:
            raise InputError(f"{path} has shape {other.shape}; the clean images have shape {images.shape}.")
        errors = feature_error(feature_maps(restoration, other, device, **explanation), clean_maps)
        method = Path(path).stem
        rows += [
            {"method": method, "image_id": name, "feature_error": repr(float(error))}
            for name, error in zip(names, errors, strict=True)
        ]
    write_csv(out, rows)

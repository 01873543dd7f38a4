"""Score how well methods preserve the features that an explanation finds."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fplbench.errors import InputError
from fplbench.files import replacing, write_csv
from fplbench.scoring.matching import open_matching
from fplbench.scoring.metrics import feature_error
from fplbench.stacks import iterate, open_stack, read_index

PathLike = str | os.PathLike[str]

CHUNK = 16  # images


@dataclass(frozen=True)
class KeptMaps:
    """Where the maps of some images are kept, for figures and pages.

    Attributes:
        path: the .npz file to write: `positions`, and float16 (K, H, W) under `clean` and the name of each stack.
        positions: which images, K of them, counted from 0.

    Raises:
        InputError: the name of the file does not end in .npz.
    """

    path: PathLike
    positions: Sequence[int]

    def __post_init__(self) -> None:
        if Path(self.path).suffix != ".npz":
            raise InputError(f"{self.path} does not end in .npz, as a file with feature maps must.")


def write_feature_errors(
    weights: PathLike | None,
    clean: PathLike,
    denoised: Sequence[PathLike],
    out: PathLike,
    device: str = "auto",
    kept: KeptMaps | None = None,
    **explanation: Any,
) -> None:
    """Write the feature error ||F_denoised - F_clean||^2 / ||F_clean||^2 of every image and method.

    The network and the explanation need not be those that a method was trained with. Features of several channels are summed
    over pixels and channels.

    Args:
        weights: weight file of the explained network, the same for all methods; None where the feature needs none.
        clean: the clean stack (N, H, W), with its index.
        denoised: stacks of the same images, named {method}.npy.
        out: the .csv file to write: method, image_id, feature_error.
        device: auto, cpu or cuda.
        kept: where to keep the maps of some images; None keeps none.
        **explanation: fields of `ExplanationOptions`.

    Raises:
        InputError: a stack or the weight file is missing or malformed, a stack does not match the clean one, the feature is not
            found in images, or maps are to be kept that are not maps (H, W) of the image.
    """
    # Imported here, because the registry of metrics imports this module, and the maps need torch.
    from fplbench.explaining.maps import feature_maps

    images = open_stack(clean)
    names = [row["image_id"] for row in read_index(clean, len(images))]
    stacks = {Path(path).stem: open_matching(Path(path), images, clean) for path in denoised}
    errors: dict[str, list[float]] = {method: [] for method in stacks}
    chosen: dict[str, dict[int, np.ndarray]] = {}
    positions = frozenset() if kept is None else frozenset(kept.positions)
    for part in iterate(images, CHUNK):  # maps of several channels are many times larger than the images
        clean_maps = feature_maps(weights, images[part], device, **explanation)
        if kept is not None and clean_maps.shape[1:] != images.shape[1:]:
            raise InputError(
                f"{kept.path} cannot keep features of shape {clean_maps.shape[1:]}: only maps of the image, {images.shape[1:]}, "
                "are drawn. Leave out --maps."
            )
        _keep(chosen, "clean", clean_maps, part, positions)
        for method, stack in stacks.items():
            maps = feature_maps(weights, stack[part], device, **explanation)
            _keep(chosen, method, maps, part, positions)
            errors[method] += feature_error(_flat(maps), _flat(clean_maps)).tolist()
    rows = [
        {"method": method, "image_id": name, "feature_error": repr(error)}
        for method, values in errors.items()
        for name, error in zip(names, values, strict=True)
    ]
    if kept is not None:
        _write_maps(kept, {name: np.stack([maps[place] for place in kept.positions]) for name, maps in chosen.items()})
    write_csv(out, rows)


def _flat(maps: np.ndarray) -> np.ndarray:
    """Maps as (N, rows, w), with the channels of (N, C, h, w) below each other."""
    return maps.reshape(len(maps), -1, maps.shape[-1])


def _keep(chosen: dict[str, dict[int, np.ndarray]], name: str, maps: np.ndarray, part: slice, positions: frozenset[int]) -> None:
    """Keep those of the maps whose positions in the stack are wanted."""
    of_stack = chosen.setdefault(name, {})
    of_stack.update({part.start + place: image for place, image in enumerate(maps) if part.start + place in positions})


def _write_maps(kept: KeptMaps, maps: Mapping[str, np.ndarray]) -> None:
    """Write maps as float16; values beyond its range, of networks that have hardly been trained, get its largest value."""
    largest = float(np.finfo(np.float16).max)
    halves: dict[str, Any] = {name: values.clip(-largest, largest).astype(np.float16) for name, values in maps.items()}
    with replacing(kept.path) as temporary:
        np.savez_compressed(temporary, positions=np.array(kept.positions, int), **halves)

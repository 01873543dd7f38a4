"""Score how well methods preserve the features that guided back-propagation finds."""

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
from fplbench.stacks import open_stack, read_index

PathLike = str | os.PathLike[str]


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
    restoration: PathLike,
    clean: PathLike,
    denoised: Sequence[PathLike],
    out: PathLike,
    device: str = "auto",
    kept: KeptMaps | None = None,
    **explanation: Any,
) -> None:
    """Write the feature error ||F_denoised - F_clean||^2 / ||F_clean||^2 of every image and method.

    Args:
        restoration: weight file of the restoration network, the same for all methods.
        clean: the clean stack (N, H, W), with its index.
        denoised: stacks of the same images, named {method}.npy.
        out: the .csv file to write: method, image_id, feature_error.
        device: auto, cpu or cuda.
        kept: where to keep the maps of some images; None keeps none.
        **explanation: readout, activation and beta of `guided_backprop`.

    Raises:
        InputError: a stack or the weight file is missing or malformed, or a stack does not match the clean one.
    """
    # Imported here, because the registry of metrics imports this module, and the maps need torch.
    from fplbench.explaining.maps import feature_maps

    images = open_stack(clean)
    names = [row["image_id"] for row in read_index(clean, len(images))]
    positions = [] if kept is None else list(kept.positions)
    clean_maps = feature_maps(restoration, images, device, **explanation)
    chosen = {"clean": clean_maps[positions]}
    rows = []
    for path in map(Path, denoised):
        maps = feature_maps(restoration, open_matching(path, images, clean), device, **explanation)
        chosen[path.stem] = maps[positions]
        rows += [
            {"method": path.stem, "image_id": name, "feature_error": repr(float(error))}
            for name, error in zip(names, feature_error(maps, clean_maps), strict=True)
        ]
    if kept is not None:
        _write_maps(kept, chosen)
    write_csv(out, rows)


def _write_maps(kept: KeptMaps, maps: Mapping[str, np.ndarray]) -> None:
    """Write maps as float16; values beyond its range, of networks that have hardly been trained, get its largest value."""
    largest = float(np.finfo(np.float16).max)
    halves: dict[str, Any] = {name: values.clip(-largest, largest).astype(np.float16) for name, values in maps.items()}
    with replacing(kept.path) as temporary:
        np.savez_compressed(temporary, positions=np.array(kept.positions, int), **halves)

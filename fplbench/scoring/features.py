"""Score how well methods preserve the features that guided back-propagation finds."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fplbench.files import write_csv
from fplbench.scoring.matching import open_matching
from fplbench.scoring.metrics import feature_error
from fplbench.stacks import open_stack, read_index


def write_feature_errors(
    restoration: str | os.PathLike[str],
    clean: str | os.PathLike[str],
    denoised: Sequence[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    device: str = "auto",
    **explanation: Any,
) -> None:
    """Write the feature error ||F_denoised - F_clean||^2 / ||F_clean||^2 of every image and method.

    Args:
        restoration: weight file of the restoration network, the same for all methods.
        clean: the clean stack (N, H, W), with its index.
        denoised: stacks of the same images, named {method}.npy.
        out: the .csv file to write: method, image_id, feature_error.
        device: auto, cpu or cuda.
        **explanation: readout, activation and beta of `guided_backprop`.

    Raises:
        InputError: a stack or the weight file is missing or malformed, or a stack does not match the clean one.
    """
    # Imported here, because the registry of metrics imports this module, and the maps need torch.
    from fplbench.explaining.maps import feature_maps

    images = open_stack(clean)
    names = [row["image_id"] for row in read_index(clean, len(images))]
    clean_maps = feature_maps(restoration, images, device, **explanation)
    rows = []
    for path in map(Path, denoised):
        maps = feature_maps(restoration, open_matching(path, images, clean), device, **explanation)
        rows += [
            {"method": path.stem, "image_id": name, "feature_error": repr(float(error))}
            for name, error in zip(names, feature_error(maps, clean_maps), strict=True)
        ]
    write_csv(out, rows)

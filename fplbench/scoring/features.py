"""Score how well methods keep the features that guided back-propagation finds."""

import os
from collections.abc import Sequence
from pathlib import Path

from fplbench.errors import InputError
from fplbench.explaining.maps import feature_maps
from fplbench.files import write_csv
from fplbench.scoring.metrics import feature_error
from fplbench.stacks import open_stack, read_index


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

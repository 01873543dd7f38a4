"""The feature maps of the shown images, from the files that `fplbench feature-scores --maps` writes."""

import os
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fplbench.errors import InputError
from fplbench.reporting.explorer.pixels import CLEAN, uris
from fplbench.reporting.panels import scale

STEP = 3  # grey levels
LEVELS = 255 // STEP + 1  # that maps are stored in


def read_features(
    folder: str | os.PathLike[str], noises: Iterable[str], methods: Sequence[str], positions: Sequence[int], size: tuple[int, int]
) -> dict[str, Any]:
    """The maps of those noises that have a file, as the page reads them.

    Args:
        folder: has {noise}.npz.
        noises: the noises of the page.
        methods: its methods; clean for the clean image. Those without maps are left out.
        positions: the shown images, counted from 0.
        size: height and width of an image.

    Returns:
        By noise: `scale`, the values at grey levels 0 and 255, shared by all its maps, and `maps` by method. Values beyond the
        scale, at most 0.5 % at each end, have the grey level of its end.

    Raises:
        InputError: a file is malformed, or lacks an image.
    """
    return {
        noise: _read_noise(file, methods, positions, size) for noise in noises if (file := Path(folder, f"{noise}.npz")).exists()
    }


def _read_noise(path: Path, methods: Sequence[str], positions: Sequence[int], size: tuple[int, int]) -> dict[str, Any]:
    stored = _load(path)
    places = {position: place for place, position in enumerate(stored.pop("positions", np.zeros(0)).tolist())}
    missing = [position for position in positions if position not in places]
    if missing:
        raise InputError(
            f"{path} has no feature maps of image {missing[0]} (counted from 0): write them again, with the same --map-images as "
            "explorer.images in the config."
        )
    if CLEAN not in stored or any(maps.shape != (len(places), *size) for maps in stored.values()):
        raise InputError(f"{path} lacks the feature maps of the clean images, or has maps of another size: write it again.")
    chosen = [places[position] for position in positions]
    maps = {method: stored[method][chosen].astype(np.float32) for method in methods if method in stored}
    black, white = scale(np.stack([*maps.values()]))
    return {
        "scale": [black, white],
        "maps": {method: uris(grey_levels(values, black, white)) for method, values in maps.items()},
    }


def grey_levels(maps: np.ndarray, black: float, white: float) -> np.ndarray:
    """Maps as grey levels, uint8: 0 for `black` and below, 255 for `white` and above, and every third level between them.

    With 86 levels, maps take a quarter less space, which pages with the maps of thirteen noises need. Images keep all levels.
    """
    return (STEP * np.rint(255 / STEP * ((maps - black) / (white - black)).clip(0, 1))).astype(np.uint8)


def _load(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, AttributeError) as error:
        raise InputError(f"{path} is not a file with feature maps ({error}): write it again.") from None

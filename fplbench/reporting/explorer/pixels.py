"""Images as text: 8-bit grey PNG files in data: URIs, which a page holds without any other file."""

import base64
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fplbench.errors import InputError
from fplbench.reporting.labels import UNPROCESSED
from fplbench.reporting.shown import read_shown
from fplbench.reporting.stacks import open_stack

CLEAN = "clean"
PREFIX = "data:image/png;base64,"

PathLike = str | os.PathLike[str]


def png_uri(image: np.ndarray, fast: bool = False) -> str:
    """An image as a data: URI. Every browser decodes it to the same grey levels.

    Args:
        image: uint8 (H, W).
        fast: whether to try one way of packing it alone, which suits noisy images.
    """
    import cv2

    # Images that were mapped to few grey levels are smaller unfiltered, noisy ones filtered; both ways take less than a
    # millisecond, and together they are within 1 % of the best of all settings.
    ways = (
        (6, cv2.IMWRITE_PNG_STRATEGY_DEFAULT, cv2.IMWRITE_PNG_FILTER_NONE),
        (9, cv2.IMWRITE_PNG_STRATEGY_RLE, cv2.IMWRITE_PNG_ALL_FILTERS),
    )
    files = (
        cv2.imencode(
            ".png",
            image,
            [cv2.IMWRITE_PNG_COMPRESSION, level, cv2.IMWRITE_PNG_STRATEGY, strategy, cv2.IMWRITE_PNG_FILTER, kind],
        )[1].tobytes()
        for level, strategy, kind in (ways[1:] if fast else ways)
    )
    return PREFIX + base64.b64encode(min(files, key=len)).decode()


def uris(images: np.ndarray) -> list[str]:
    """Images, uint8 (N, H, W), as data: URIs."""
    return [png_uri(np.ascontiguousarray(image)) for image in images]


def page_pixels(
    clean: PathLike,
    noisy: PathLike,
    denoised: PathLike,
    noises: Sequence[str],
    methods: Sequence[str],
    positions: Sequence[int],
    partial: bool = False,
) -> dict[str, Any]:
    """Some images of every stack as data: URIs. Only these are read.

    Args:
        clean: the clean stack.
        noisy: folder with {noise}/{split}.npy; the name of the file is that of the clean stack.
        denoised: folder with {noise}/{method}.npy, of all images or of the shown ones.
        noises: the noises.
        methods: the clean image, the noisy one, and the methods.
        positions: which images, counted from 0.
        partial: whether denoised stacks may be missing, so that their methods are left out.

    Returns:
        Under `clean` a list, and under each noise a list for each method.

    Raises:
        InputError: a stack is missing, is malformed or has other images than the clean one.
    """
    found: dict[str, Any] = {CLEAN: uris(open_stack(clean)[list(positions)])}
    for noise in noises:
        files = {name: Path(denoised, noise, f"{name}.npy") for name in methods if name not in (CLEAN, UNPROCESSED)}
        kept = {name: path for name, path in files.items() if path.exists() or not partial}
        found[noise] = {
            name: uris(_shown(name, path, clean, positions))
            for name, path in {UNPROCESSED: Path(noisy, noise, Path(clean).name), **kept}.items()
        }
    return found


def _shown(method: str, path: Path, clean: PathLike, positions: Sequence[int]) -> np.ndarray:
    if not path.exists():
        kept = "" if method == UNPROCESSED else ", with keep_denoised: true in the config if it was deleted after scoring"
        raise InputError(f"{path} does not exist: run the workflow again{kept}.")
    return read_shown(path, clean, positions)

"""A map from grey level to grey level that corrects what a method leaves of a noise's offset and contrast.

A network that is trained on a noise learns such a correction with everything else. The map gives a filter the same chance.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from fplbench.errors import InputError
from fplbench.files import write_text
from fplbench.stacks import iterate

Kind = Literal["monotone", "affine"]
KINDS: tuple[Kind, ...] = get_args(Kind)
LEVELS = 256
CHUNK = 8  # images; each pixel takes 16 bytes while it is counted
SUFFIX = "_grey_map"
"""What follows the method's name in the name of its file, {name}_grey_map.json."""


@dataclass(frozen=True, eq=False)
class GreyMap:
    """A map of the 256 grey levels.

    Attributes:
        kind: monotone or affine.
        levels: uint8 (256,), the new value of each grey level.
        images: number of images that it was fitted on.
    """

    kind: Kind
    levels: np.ndarray
    images: int

    def apply(self, images: np.ndarray) -> np.ndarray:
        """Images after the map, of any shape, uint8 as they are; a copy."""
        return self.levels[images]


def fit_grey_map(denoised: np.ndarray, clean: np.ndarray, kind: Kind = "monotone") -> GreyMap:
    """Fit the map that takes denoised training images closest to the clean ones, by the squared error.

    Args:
        denoised: uint8 (N, H, W).
        clean: the same images without noise, uint8 (N, H, W).
        kind: "monotone": the best map that never falls, by isotonic regression on the mean clean value of each grey level;
            levels that do not occur lie on the line between their neighbours, and are constant beyond the ends.
            "affine": the straight line of least squares.

    Raises:
        InputError: the kind is unknown, or the stacks differ in shape.

    Source:
        Barlow et al. 1972 for isotonic regression, through scipy.optimize.isotonic_regression.
    """
    if kind not in KINDS:
        raise InputError(f"The kind of grey map is {kind!r}: it must be one of {', '.join(KINDS)}.")
    if denoised.shape != clean.shape:
        raise InputError(f"The denoised images have shape {denoised.shape}, but the clean ones {clean.shape}: they must match.")
    counts, sums = _totals(denoised, clean)
    # Rounding the isotonic regression gives the best map among all monotone ones to whole numbers, the identity included.
    values = _monotone(counts, sums) if kind == "monotone" else _affine(counts, sums)
    return GreyMap(kind, np.clip(np.rint(values), 0, LEVELS - 1).astype(np.uint8), len(clean))


def identity(kind: Kind, images: int) -> GreyMap:
    """The map that changes nothing, which is both monotone and affine."""
    return GreyMap(kind, np.arange(LEVELS).astype(np.uint8), images)


def write_grey_map(path: str | os.PathLike[str], grey_map: GreyMap) -> None:
    """Write a map as JSON: its kind, its 256 values and the number of images it was fitted on."""
    values = {"kind": grey_map.kind, "map": grey_map.levels.tolist(), "images": grey_map.images}
    write_text(path, json.dumps(values) + "\n")


def read_grey_map(path: str | os.PathLike[str]) -> GreyMap:
    """Read a map that `write_grey_map` wrote.

    Raises:
        InputError: the file is missing, or does not hold a grey map.
    """
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"The grey map {path} does not exist; `fplbench tune --grey-map` writes one.") from None
    except ValueError as error:
        raise InputError(f"{path} is not valid JSON: {error}.") from None
    values = found.get("map") if isinstance(found, dict) else None
    if not isinstance(values, list) or len(values) != LEVELS or not all(_is_level(value) for value in values):
        raise InputError(f"{path} is not a grey map: its key map must hold {LEVELS} whole numbers from 0 to {LEVELS - 1}.")
    kind, images = found.get("kind"), found.get("images")
    if kind not in KINDS or not isinstance(images, int):
        raise InputError(f"{path} is not a grey map: it must say its kind ({' or '.join(KINDS)}) and its number of images.")
    return GreyMap(kind, np.array(values, np.uint8), images)


def _is_level(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < LEVELS


def _totals(denoised: np.ndarray, clean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How often each level occurs in the denoised images, and the sum of the clean values there; both exact."""
    counts, sums = np.zeros(LEVELS), np.zeros(LEVELS)
    for chunk in iterate(denoised, CHUNK):
        levels = denoised[chunk].ravel()
        counts += np.bincount(levels, minlength=LEVELS)
        sums += np.bincount(levels, weights=clean[chunk].ravel(), minlength=LEVELS)
    return counts, sums


def _monotone(counts: np.ndarray, sums: np.ndarray) -> np.ndarray:
    from scipy.optimize import isotonic_regression

    occurring = np.flatnonzero(counts)
    means = sums[occurring] / counts[occurring]
    fitted = isotonic_regression(means, weights=counts[occurring]).x
    return np.interp(np.arange(LEVELS), occurring, fitted)


def _affine(counts: np.ndarray, sums: np.ndarray) -> np.ndarray:
    """The line through the mean; a constant where only one level occurs."""
    levels = np.arange(LEVELS)
    centre, height = np.average(levels, weights=counts), sums.sum() / counts.sum()
    spread = counts @ (levels - centre) ** 2
    slope = (sums @ (levels - centre)) / spread if spread else 0.0
    return height + slope * (levels - centre)

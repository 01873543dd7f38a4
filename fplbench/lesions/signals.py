"""Signals of known place, size and contrast, inserted into clean images before the noise."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from pydantic import Field, PositiveFloat

from fplbench.errors import InputError
from fplbench.files import read_csv, write_csv
from fplbench.lesions.shapes import disc_coverage
from fplbench.lesions.signal_places import Scale, patch_side, places, read_scale
from fplbench.lesions.units import WHITE
from fplbench.options import Options
from fplbench.seeds import generator
from fplbench.stacks import creating_stack, open_stack, read_index

CLASSES = ("absent", "present")
COLUMNS = ("image_id", "source_image", "size_mm", "contrast", "unit", "row", "column", "radius", "pixel_mm", "scale")


class SignalOptions(Options):
    """The signals of a data set."""

    contrasts: list[float] = Field(min_length=1, description="Contrasts of the discs, HU for CT, else grey levels.")
    sizes: list[PositiveFloat] = Field([8, 24], min_length=1, description="Diameters of the discs, mm.")
    pairs: int = Field(200, ge=20, le=2000, description="Images with each size and contrast, and as many without.")


class Kind(NamedTuple):
    """A size in mm and a contrast in the unit of the data set."""

    size_mm: float
    contrast: float


def write_signals(
    clean: str | os.PathLike[str], folder: str | os.PathLike[str], options: SignalOptions, *, seed: int, axes: str = ""
) -> None:
    """Write pairs of images that differ in signals alone: absent.npy and present.npy, with their indices, and signals.csv.

    Both stacks hold the same copies of slices under the same names; noise that is drawn for each stack on its own is independent.
    A copy has as many signals of different size or contrast as it has room for, at random places, no two of them in one patch.
    Grey levels with a signal are rounded. All signals of a size have the same radius in pixels, that of the median spacing,
    because an observer has one template for all of them.

    Args:
        clean: stack of clean images, with its index.
        folder: folder for the files.
        options: sizes, contrasts and number of pairs.
        seed: seed of the run.
        axes: what the places depend on besides the seed and the images, such as the name of the data set.

    Raises:
        InputError: the stack has no pixel spacing, a disc is smaller than a pixel or leaves the grey levels, or no image has a
            place for the largest.
    """
    images = open_stack(clean)
    index = read_index(clean, len(images))
    scale = read_scale(clean, index, images.shape[1])
    if min(options.sizes) < scale.pixel:
        raise InputError(
            f"detectability.sizes has {min(options.sizes):g} mm, but a pixel of {clean} has {scale.pixel:.3g} mm: choose larger "
            "signals."
        )
    free = [places(image, max(options.sizes) / 2 / scale.pixel, scale) for image in images]
    if not any(map(len, free)):
        raise InputError(
            f"No image of {clean} has an even place for a signal of {max(options.sizes):g} mm: choose smaller "
            "detectability.sizes, or leave the data set out of detectability.contrasts."
        )
    position = {row["image_id"]: number for number, row in enumerate(index)}
    signals = list(_distribute(list(position), free, options, scale, generator(seed, "signals", axes)))
    names = list(dict.fromkeys((signal["image_id"], signal["source_image"]) for signal in signals))
    rows = [index[position[source]] | {"image_id": name} for name, source in names]
    number = {name: i for i, (name, _) in enumerate(names)}
    folder = Path(folder)
    for kind in CLASSES:
        with creating_stack(folder / f"{kind}.npy", (len(names), *images.shape[1:]), rows) as stack:
            for i, (_, source) in enumerate(names):
                stack[i] = images[position[source]]
            for signal in signals if kind == "present" else ():
                _insert(stack[number[signal["image_id"]]], signal)
    write_csv(folder / "signals.csv", signals, COLUMNS)


def read_signals(folder: str | os.PathLike[str]) -> list[dict[str, str]]:
    """The table of signals that `write_signals` wrote; InputError if it is missing or not a table of signals."""
    return read_csv(Path(folder) / "signals.csv", COLUMNS)


def _distribute(
    names: Sequence[str], free: Sequence[np.ndarray], options: SignalOptions, scale: Scale, rng: np.random.Generator
) -> Iterator[dict[str, Any]]:
    """Draw places in copies of the images until every kind of signal has its pairs; yields rows of signals.csv.

    Args:
        names: image_id of each image.
        free: the places of each image, (K, 2).
        options: sizes, contrasts and number of pairs.
        scale: of the stack.
        rng: random generator.
    """
    radius = max(options.sizes) / 2 / scale.pixel
    needed = {Kind(size, contrast): options.pairs for size in options.sizes for contrast in options.contrasts}
    copy = 0
    while any(needed.values()):
        for name, found in zip(names, free, strict=True):
            kinds = _most_needed(needed, rng)
            for kind, (row, column) in zip(kinds, _apart(found, radius, len(kinds), rng), strict=False):
                needed[kind] -= 1
                yield {
                    "image_id": f"{name}_copy-{copy:03d}", "source_image": name, **kind._asdict(), "unit": scale.unit,
                    "row": int(row), "column": int(column), "radius": kind.size_mm / 2 / scale.pixel,
                    "pixel_mm": scale.pixel, "scale": scale.per_level,
                }  # fmt: skip
        copy += 1


def _most_needed(needed: Mapping[Kind, int], rng: np.random.Generator) -> list[Kind]:
    """Kinds of which pairs are still missing, first those that miss most; ties are broken at random."""
    kinds = [kind for kind, count in needed.items() if count]
    order = rng.permutation(len(kinds))
    return sorted((kinds[i] for i in order), key=lambda kind: -needed[kind])


def _apart(free: np.ndarray, radius: float, count: int, rng: np.random.Generator) -> list[np.ndarray]:
    """At most `count` of the places (K, 2), drawn so that no signal lies in the patch of another one."""
    distance = patch_side(radius) // 2 + int(np.ceil(radius)) + 1
    chosen: list[np.ndarray] = []
    left = free
    while len(left) and len(chosen) < count:
        chosen.append(left[rng.integers(len(left))])
        left = left[np.abs(left - chosen[-1]).max(axis=1) >= distance]
    return chosen


def _insert(image: np.ndarray, signal: Mapping[str, Any]) -> None:
    """Add a signal to a uint8 image, in place."""
    half = patch_side(signal["radius"]) // 2
    row, column = signal["row"], signal["column"]
    part = image[row - half : row + half + 1, column - half : column + half + 1]
    share, change = disc_coverage(2 * half + 1, signal["radius"]), signal["contrast"] / signal["scale"]
    level = float((part * share).sum() / share.sum())
    if not 0 <= level + change <= WHITE:
        raise InputError(
            f"A contrast of {signal['contrast']:g} {signal['unit']} is too strong: on a background of grey level {level:.0f} of "
            f"the image {signal['source_image']} it leaves the range of 8 bits. Choose smaller detectability.contrasts."
        )
    part[:] = np.rint(np.clip(part + change * share, 0, WHITE))

"""Copies of CT slices with inserted lesions: a test of its own, beside the images of the data set."""

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fplbench.errors import InputError
from fplbench.lesions.insert_places import Ground, Placed, insert, mark, place_lesions
from fplbench.lesions.insert_shapes import MovedNodule, cut_out
from fplbench.lesions.insert_split import Split, open_split
from fplbench.lesions.marks import Lesion
from fplbench.lesions.options import InsertionOptions
from fplbench.lesions.painting import lesion_rows
from fplbench.lesions.regions import TISSUE
from fplbench.lesions.stack import creating_lesions
from fplbench.seeds import generator
from fplbench.stacks import creating_stack

log = logging.getLogger(__name__)

MOST_NODULES = 100
"""Nodules of a split that are cut out to be moved."""


def insert_lesions(
    clean_path: str | os.PathLike[str],
    out_path: str | os.PathLike[str],
    options: InsertionOptions,
    seed: int,
    axes: str = "",
) -> None:
    """Write copies of CT slices with inserted lesions, and the lesion stack of the copies.

    In a lung window lesions lie in the lungs, otherwise in the largest even piece of soft tissue (`fplbench.lesions.regions`).
    No lesion lies in the surroundings of another one or of a real one. The copies are spread evenly over the patients and
    over the slices in which a lesion fits; slices in which none fits, or whose pixel size is unknown, are left out.

    Args:
        clean_path: a stack named train.npy, validation.npy or test.npy, with its index and its lesion stack.
        out_path: the stack to write. Its index repeats the clean one, with image_id followed by "_inserted-" and the number
            of the copy, and the column copy_of, the image_id of the slice. Its lesion stack keeps the real lesions.
        options: number, size, contrast and softness of the lesions.
        seed: seed of the run.
        axes: what the random numbers depend on besides seed, name of the stack, image and copy: the name of the data set.

    Raises:
        InputError: the stack has another name, lacks its index or its lesions, is not of CT in HU, or no lesion fits anywhere.
    """
    split = open_split(Path(clean_path))
    copies, full = _draw(split, options, seed, axes)
    if not copies:
        raise InputError(
            f"No lesion fits into any of the {len(split.images)} images of {clean_path}; give inserted lesions smaller sizes "
            "(size_mm, min_pixels), or leave this data set out (inserted.datasets)."
        )
    _write(split, Path(out_path), copies)
    placed = [each for copy in copies for each in copy.placed]
    moved = sum(isinstance(each.lesion, MovedNodule) for each in placed)
    log.info(
        "Inserted %d lesions (%d of them nodules that were moved) into %d images, copies of %d of the %d slices of %s; %d slices "
        "have no room for one, and %d have no known pixel size.",
        len(placed), moved, len(copies), len({copy.position for copy in copies}), len(split.images), clean_path,
        len(full), sum(size is None for size in split.pixel_mm),
    )  # fmt: skip
    if len(copies) < (wanted := getattr(options, split.name)):
        log.warning("%s was to have %d images with inserted lesions; there is room in %d.", out_path, wanted, len(copies))


@dataclass(frozen=True, slots=True)
class _Copy:
    """A copy of the slice at a position of the stack, with its lesions."""

    position: int
    number: int
    placed: Sequence[Placed]


def _draw(split: Split, options: InsertionOptions, seed: int, axes: str) -> tuple[list[_Copy], set[int]]:
    """The copies with their lesions, in the order of the stack, and the positions of slices in which none fits."""
    place = "insert-lesions", axes, split.name
    nodules = _nodules(split, options, generator(seed, *place, "nodules")) if split.in_lungs else []
    order = list(_even_order(split, generator(seed, *place, "order")))
    contrast = options.lung_contrast if split.in_lungs else options.soft_tissue_contrast
    copies: list[_Copy] = []
    full: set[int] = set()
    for number in range(1, options.copies + 1):
        for position in order:
            pixel_mm = split.pixel_mm[position]
            if len(copies) == getattr(options, split.name):
                break
            if pixel_mm is None or position in full:
                continue
            ground = Ground(
                split.images[position], split.lesions[position], split.region(position, pixel_mm), contrast, split.scale,
                pixel_mm, split.ring, nodules,
            )  # fmt: skip
            placed = place_lesions(ground, options, generator(seed, *place, split.index[position]["image_id"], number))
            if placed:
                copies.append(_Copy(position, number, placed))
            else:
                full.add(position)
    return sorted(copies, key=lambda copy: (copy.position, copy.number)), full


def _even_order(split: Split, rng: np.random.Generator) -> Iterator[int]:
    """All positions of the stack: a slice of each patient in turn, in random order."""
    patients: dict[str, list[int]] = {}
    for position in rng.permutation(len(split.index)).tolist():
        patients.setdefault(split.index[position]["patient"], []).append(position)
    for turn in range(max(map(len, patients.values()))):
        yield from (positions[turn] for positions in patients.values() if turn < len(positions))


def _nodules(split: Split, options: InsertionOptions, rng: np.random.Generator) -> list[MovedNodule]:
    """Nodules of the split that can be moved: outlined ones of enough pixels, with lung around them."""
    positions = {row["image_id"]: position for position, row in enumerate(split.index)}
    nodules: list[MovedNodule] = []
    for row in rng.permutation(np.array(split.rows, object)).tolist() if options.moved else ():
        position = positions[row["image_id"]]
        unused = row["shape"] != "mask" or row["inserted"] == "1" or int(row["pixels"]) < options.min_pixels
        if unused or split.pixel_mm[position] is None:
            continue
        image, lesions, lung = split.images[position], split.lesions[position], split.hu(position) < TISSUE
        malignancy = float(row["malignancy"]) if row["malignancy"] else None
        nodule = cut_out(image, lesions, int(row["lesion"]), lung, split.ring, malignancy)
        if nodule is not None:
            nodules.append(nodule)
        if len(nodules) == MOST_NODULES:
            break
    return nodules


def _write(split: Split, out_path: Path, copies: Sequence[_Copy]) -> None:
    shape = len(copies), *split.images.shape[1:]
    names = [f"{split.index[copy.position]['image_id']}_inserted-{copy.number:02d}" for copy in copies]
    index = [
        {**split.index[copy.position], "image_id": name, "copy_of": split.index[copy.position]["image_id"]}
        for copy, name in zip(copies, names, strict=True)
    ]
    real: dict[str, list[Mapping[str, str]]] = {}
    for row in split.rows:
        real.setdefault(row["image_id"], []).append(row)
    with creating_stack(out_path, shape, index) as stack, creating_lesions(out_path, shape) as (lesions, rows):
        for position, (copy, entry) in enumerate(zip(copies, index, strict=True)):
            stack[position] = insert(split.images[copy.position], copy.placed)
            lesions[position] = mark(split.lesions[copy.position], copy.placed)
            rows += [{**row, "image_id": entry["image_id"]} for row in real.get(entry["copy_of"], ())]
            rows += _rows(split, copy, entry)


def _rows(split: Split, copy: _Copy, entry: Mapping[str, str]) -> list[dict[str, Any]]:
    """Rows of the inserted lesions of a copy in the lesion table."""
    pixel_mm = split.pixel_mm[copy.position] or 0.0
    first = int(split.lesions[copy.position].max()) + 1
    inserted = []
    for number, each in enumerate(copy.placed, start=first):
        size = round(each.lesion.size * pixel_mm, 1)
        name = f"{entry['image_id']}_{number}"
        lesion = Lesion(name, each.lesion.kind, readers=0, size_mm=size, malignancy=each.lesion.malignancy)
        inserted.append((lesion, int(np.count_nonzero(each.mask))))
    return lesion_rows(entry["image_id"], entry["patient"], inserted, first, inserted=1)

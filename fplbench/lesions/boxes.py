"""The bounding boxes of RSNA: stage_2_train_labels.csv, one row for each box, or one without a box for an image."""

import csv
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fplbench.datasets.annotations import count
from fplbench.datasets.files import LINK_OUT, leads_out
from fplbench.datasets.identity import Identity
from fplbench.datasets.registry import DatasetOptions, Header, Masks, Slice, Unreadable, Wanted
from fplbench.files import write_csv
from fplbench.lesions.marks import Annotations, Lesion, Mark

LABELS = "stage_2_train_labels.csv"
COLUMNS = ("patientId", "x", "y", "width", "height", "Target")
LESION = "lesion"  # a column that RSNA does not have: the name of a lesion that several images of a person show


class Box(NamedTuple):
    """A box in pixels of the original image: its top left corner, and its size. Pixel 0 extends from 0 to 1."""

    x: float
    y: float
    width: float
    height: float


@dataclass
class _Table:
    """What a file of labels says about the images that were asked for.

    Attributes:
        boxes: boxes of each image, with the name of the lesion or ""; none where it was examined without a finding.
        faults: what is wrong with a row, by its line number: the image and a phrase.
        absent: images that are listed and were not asked for.
        rows: number of boxes, faulty rows included.
    """

    boxes: dict[str, dict[Box, str]] = field(default_factory=dict)
    faults: dict[int, tuple[str, str]] = field(default_factory=dict)
    absent: set[str] = field(default_factory=set)
    rows: int = 0


def annotate(headers: dict[str, Header], slices: Sequence[Slice], options: DatasetOptions) -> Annotations:
    """The boxes of the images that the labels list; images that are not listed are not annotated.

    An image with a row that cannot be used counts as not annotated, since a lesion would be missing. Each box is a lesion of
    its own, unless the column LESION gives the boxes of a person in several images the same name.

    Args:
        headers: by path relative to the root, with the size of each image, `rows` and `columns`.
        slices: the images.
        options: options with the root, in which the labels lie beside the folder of the images, or above it.
    """
    if not slices:
        return Annotations()
    try:
        path = find_labels(options.root, [one.source for one in slices])
        if path is None:
            return Annotations(notes=[f"There is no {LABELS} in {options.root}, so no image is annotated."])
        table = _read(path, {one.image_id: (headers[one.source]["rows"], headers[one.source]["columns"]) for one in slices})
    except Unreadable as fault:
        return Annotations(faults=[f"{LABELS} {fault}, so no image is annotated."], read=1)
    identity = Identity(options.pseudonymise)
    spoilt = {image for image, _ in table.faults.values()}
    marks = {
        one.image_id: tuple(_marks(one, table.boxes[one.image_id]))
        for one in slices
        if one.image_id in table.boxes and one.image_id not in spoilt
    }
    faults = [_sentence(line, image, phrase, identity) for line, (image, phrase) in sorted(table.faults.items())]
    return Annotations(marks, faults, table.rows, _notes(table, slices, identity))


def find_labels(root: Path, sources: Collection[str]) -> Path | None:
    """The labels of images: in the folder of an image or the nearest one above it, up to the root; None if there are none.

    Raises:
        Unreadable: the file is a link that leads out of the root.
    """
    folders = sorted({Path(source).parent for source in sources})
    candidates = {parent: None for folder in folders for parent in (folder, *folder.parents)}
    for folder in sorted(candidates, key=lambda folder: -len(folder.parts)):
        path = root / folder / LABELS
        if path.is_file():
            if leads_out(path, root):
                raise Unreadable(f"is {LINK_OUT}")
            return path
    return None


def lesion_masks(path: Path, wanted: Sequence[Wanted], options: DatasetOptions) -> Iterator[tuple[str, Masks]]:
    """Draw the boxes of an image as filled rectangles, bool (H, W) each: the pixels that a box covers by half or more."""
    for one in wanted:
        yield one.slice.image_id, [(mark.lesion, rectangle(Box(*mark.drawing), one.shape)) for mark in one.marks]


def rectangle(box: Box, shape: tuple[int, int]) -> np.ndarray:
    """A filled box, bool (H, W); at least one pixel of the image."""
    mask = np.zeros(shape, bool)
    rows, columns = (
        slice(low := min(round(start), side - 1), max(round(start + length), low + 1))
        for start, length, side in ((box.y, box.height, shape[0]), (box.x, box.width, shape[1]))
    )
    mask[rows, columns] = True
    return mask


def write_labels(path: Path, boxes: Mapping[str, Mapping[str, Box]]) -> None:
    """Write boxes by image and name of the lesion, in the format of RSNA with the column LESION after the others.

    An image without a box is listed as examined.
    """
    rows: list[dict[str, Any]] = []
    for image, found in boxes.items():
        rows += [{"patientId": image, **box._asdict(), "Target": 1, LESION: name} for name, box in found.items()]
        if not found:
            rows.append({"patientId": image, "Target": 0})
    write_csv(path, rows, (*COLUMNS, LESION))


def _read(path: Path, sizes: Mapping[str, tuple[int, int]]) -> _Table:
    """Read the boxes of images whose size (rows, columns) is known.

    Raises:
        Unreadable: the file cannot be read, or is not a table with COLUMNS.
    """
    table = _Table()
    try:
        with open(path, newline="", encoding="utf-8-sig") as stream:
            rows = csv.DictReader(stream)
            if missing := [column for column in COLUMNS if column not in (rows.fieldnames or ())]:
                raise Unreadable(f"has no column {missing[0]}")
            for row in rows:
                _take(table, rows.line_num, row, sizes)
    except OSError as error:
        raise Unreadable(f"cannot be read ({error.strerror})") from None
    except (csv.Error, UnicodeDecodeError):
        raise Unreadable("is not a .csv file") from None
    return table


def _take(table: _Table, line: int, row: Mapping[str, str | None], sizes: Mapping[str, tuple[int, int]]) -> None:
    """Add a row to the table."""
    values = {column: (row[column] or "").strip() for column in COLUMNS}
    image = values["patientId"]
    if image and image not in sizes:
        table.absent.add(image)
        return
    try:
        if not image:
            raise Unreadable("it names no image")
        box = _box(values, sizes[image])
        boxes = table.boxes.setdefault(image, {})
        if box is not None:
            table.rows += 1
            boxes.setdefault(box, (row.get(LESION) or "").strip())
    except Unreadable as fault:
        table.rows += 1
        table.faults[line] = image, str(fault)


def _box(values: Mapping[str, str], size: tuple[int, int]) -> Box | None:
    """The box of a row, checked against the size of the image; None if the row says that there is none."""
    if values["Target"] not in ("0", "1"):
        raise Unreadable("its Target is neither 0 nor 1")
    if values["Target"] == "0":
        if any(values[name] for name in Box._fields):
            raise Unreadable("its Target is 0, but it has a box")
        return None
    try:
        box = Box(*(float(values[name]) for name in Box._fields))
    except ValueError:
        raise Unreadable("its box is not four numbers") from None
    if not all(math.isfinite(value) for value in box):
        raise Unreadable("its box is not four numbers")
    if box.width <= 0 or box.height <= 0:
        raise Unreadable(f"its box of {box.width:g}x{box.height:g} pixels is empty")
    rows, columns = size
    if box.x < 0 or box.y < 0 or box.x + box.width > columns or box.y + box.height > rows:
        raise Unreadable(f"its box extends beyond the border of the image of {columns}x{rows} pixels")
    return box


def _marks(one: Slice, boxes: Mapping[Box, str]) -> Iterator[Mark]:
    """The marks of an image."""
    for number, (box, name) in enumerate(boxes.items(), start=1):
        size = None if one.spacing is None else max(box.height * one.spacing[0], box.width * one.spacing[1])
        lesion_id = f"{one.patient}_{name}" if name else f"{one.image_id}_box-{number}"
        yield Mark(Lesion(lesion_id, "opacity", "box", size_mm=size), tuple(box))


def _sentence(line: int, image: str, phrase: str, identity: Identity) -> str:
    """A sentence on a row that cannot be used."""
    of_image = f" ({identity.of(image)})" if image else ""
    return f"{LABELS}, line {line}{of_image}: {phrase}."


def _notes(table: _Table, slices: Sequence[Slice], identity: Identity) -> list[str]:
    """Sentences on images that are not annotated, and on those that are listed and absent."""
    spoilt = {image for image, _ in table.faults.values() if image}
    unlisted = [one.image_id for one in slices if one.image_id not in table.boxes and one.image_id not in spoilt]
    notes = []
    if spoilt:
        notes.append(f"Not annotated, since a box cannot be used: {count(len(spoilt), 'image')}.")
    if unlisted:
        named = f"{count(len(unlisted), 'image')}, such as {identity.of(unlisted[0])}"
        notes.append(f"Not annotated, since not listed in {LABELS}: {named}.")
    if table.absent:
        named = f"{count(len(table.absent), 'image')}, such as {identity.of(min(table.absent))}"
        notes.append(f"Listed in {LABELS}, but left out or not there: {named}.")
    return notes

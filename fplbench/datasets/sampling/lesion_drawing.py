"""The lesion stacks of a draw: masks of the drawn slices, read in worker processes, and counts of what they show."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fplbench.datasets.annotations import check_annotations
from fplbench.datasets.identity import Identity
from fplbench.datasets.reader import Failure
from fplbench.datasets.registry import Dataset, DatasetOptions, Masks, Slice, Unreadable, Wanted
from fplbench.datasets.sampling.options import SPLITS
from fplbench.datasets.sampling.patches import Corner, cut
from fplbench.datasets.sampling.pixels import by_file, run_orders
from fplbench.lesions.marks import Annotations, Lesion
from fplbench.lesions.painting import label_image, lesion_rows
from fplbench.lesions.stack import creating_lesions

log = logging.getLogger(__name__)


class Painted(NamedTuple):
    """The lesions of one image: uint8 (size, size) or None if there are none; each with its pixels; how many are too small."""

    labels: np.ndarray | None
    kept: list[tuple[Lesion, int]]
    too_small: int


class Drawn(NamedTuple):
    """An image of a stack: its slice, the size of the slice (rows, columns), and the corner of the patch; None: no patch."""

    slice: Slice
    shape: tuple[int, int]
    corner: Corner | None = None


@dataclass
class LesionTally:
    """The annotations of a data set, and what becomes of them in a draw.

    Attributes:
        dataset: the data set.
        options: its options.
        annotations: what is known about its lesions.
        rows: rows of the lesion tables, by split.
        annotated: number of images with an annotation that can be used, by split.
        too_small: number of lesions that are left without a pixel.
        failed: files whose masks cannot be read.
    """

    dataset: Dataset
    options: DatasetOptions
    annotations: Annotations
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    annotated: dict[str, int] = field(default_factory=dict)
    too_small: int = 0
    failed: set[str] = field(default_factory=set)

    def draw(self, path: Path, chosen: Sequence[Drawn], size: int, threads: int) -> list[bool]:
        """Write the lesion stack of a stack, and its table.

        Args:
            path: the stack of images, {split}.npy.
            chosen: each image of the stack.
            size: side of the images in the stack, pixels.
            threads: number of reading processes.

        Returns:
            For each image whether it has an annotation that can be used.

        Raises:
            InputError: the share of annotations that cannot be used exceeds the limit.
        """
        marks = self.annotations.marks
        annotated = [drawn.slice.image_id in marks for drawn in chosen]
        wanted = {
            slot: Wanted(one, shape, marks[one.image_id])
            for slot, (one, shape, _) in enumerate(chosen)
            if marks.get(one.image_id)
        }
        corners = {slot: drawn.corner for slot, drawn in enumerate(chosen) if drawn.corner is not None}
        rows: dict[int, list[dict[str, Any]]] = {}
        identity = Identity(self.options.pseudonymise)
        with creating_lesions(path, (len(chosen), size, size)) as (labels, table):
            for slot, answer in read_lesions(self.dataset, self.options, size, wanted, threads, corners):
                one = chosen[slot].slice
                if isinstance(answer, Failure):
                    annotated[slot] = False
                    self._reject(one.source, answer, identity)
                    continue
                self.too_small += answer.too_small
                if answer.labels is not None:
                    labels[slot] = answer.labels
                kept = [(replace(lesion, lesion_id=identity.of(lesion.lesion_id)), pixels) for lesion, pixels in answer.kept]
                rows[slot] = lesion_rows(identity.of(one.image_id), identity.of(one.patient), kept)
            check_annotations(self.unusable, self.annotations.read, self.options, self.dataset.name)
            self.rows[path.stem] = [row for slot in sorted(rows) for row in rows[slot]]
            table.extend(self.rows[path.stem])
        self.annotated[path.stem] = sum(annotated)
        return annotated

    @property
    def unusable(self) -> int:
        """Number of annotations that cannot be used."""
        return len(self.annotations.faults) + len(self.failed)

    def summary(self, persons_known: bool) -> dict[str, Any]:
        """The numbers that tables and reports quote: of lesions, images and patients with lesions, and of annotations."""

        def distinct(column: str) -> dict[str, int]:
            return {split: len({row[column] for row in self.rows[split]}) for split in SPLITS}

        return {
            "lesions": distinct("lesion_id"),
            "lesion_images": distinct("image_id"),
            "lesion_patients": distinct("patient") if persons_known else dict.fromkeys(SPLITS),
            "images_annotated": {split: self.annotated[split] for split in SPLITS},
            "annotations_unusable": self.unusable,
            "lesions_too_small": self.too_small,
        }

    def _reject(self, source: str, failure: Failure, identity: Identity) -> None:
        if source not in self.failed:
            self.failed.add(source)
            words = failure.words(self.options.root, source, self.options.pseudonymise)
            log.warning("Annotation unusable: the lesion masks of %s: %s.", identity.of(source), words)


def read_lesions(
    dataset: Dataset,
    options: DatasetOptions,
    size: int,
    wanted: Mapping[int, Wanted],
    threads: int,
    corners: Mapping[int, Corner] | None = None,
) -> Iterator[tuple[int, Painted | Failure]]:
    """Read the lesion masks of slices. A mask that cannot be read fails alone, as an image does in `read_slices`.

    Args:
        dataset: the data set.
        options: its options.
        size: side of the images in the stack, pixels.
        wanted: the slices with their marks, by number; the numbers are chosen by the caller.
        threads: number of reading processes.
        corners: where patches start, by the same number, of images that are patches of their slices.

    Yields:
        The number with the painted lesions, or with the failure of its file, in order of completion.
    """
    if not wanted:
        return
    orders = by_file({number: one.slice for number, one in wanted.items()}, size)
    places = corners or {}
    tasks = (
        (dataset.lesion_masks, options, source, [wanted[number] for number in numbers], size, list(map(places.get, numbers)))
        for source, numbers in orders
    )
    yield from run_orders(paint_file, tasks, orders, dataset, options, threads, "lesions")


def paint_file(
    task: tuple[Callable[..., Any], DatasetOptions, str, list[Wanted], int, list[Corner | None]],
) -> list[Painted]:
    """Read and number the lesions of the wanted slices of one file; runs in a worker process.

    Raises:
        Unreadable: a mask is missing or has another size than its image, or an image has more lesions than can be numbered.
    """
    masks_of, options, source, wanted, size, corners = task
    corner_of = {one.slice.image_id: corner for one, corner in zip(wanted, corners, strict=True)}
    shapes = {one.slice.image_id: one.shape for one in wanted}
    painted = {}
    for image_id, masks in masks_of(options.root / source, wanted, options):
        rows, columns = shapes[image_id]
        for _, mask in masks:
            if mask.shape != (rows, columns):
                height, width = mask.shape
                raise Unreadable(f"a lesion mask has {height}x{width} pixels and its image {rows}x{columns}")
        labels, kept, too_small = label_image(_within(masks, size, corner_of[image_id]), size)
        painted[image_id] = Painted(labels if kept else None, kept, too_small)
    if painted.keys() != shapes.keys():
        raise Unreadable("the lesion masks of a slice are missing")
    return [painted[one.slice.image_id] for one in wanted]


def _within(masks: Masks, size: int, corner: Corner | None) -> Masks:
    """The masks of a whole slice, or those that reach into a patch of it, cut as the image is."""
    if corner is None:
        return masks
    parts = [(lesion, cut(mask, size, corner, False)) for lesion, mask in masks]
    return [(lesion, part) for lesion, part in parts if part.any()]

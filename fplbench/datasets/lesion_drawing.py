"""The lesion stacks of a draw: masks of the drawn slices, read in worker processes, and counts of what they show."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fplbench.datasets.annotations import check_annotations
from fplbench.datasets.identity import Identity
from fplbench.datasets.pixels import by_file, run_orders
from fplbench.datasets.reader import Failure
from fplbench.datasets.registry import Dataset, DatasetOptions, Slice, Unreadable, Wanted
from fplbench.datasets.sampling_options import SPLITS
from fplbench.lesions.marks import Annotations, Lesion
from fplbench.lesions.painting import label_image, lesion_rows
from fplbench.lesions.stack import creating_lesions

log = logging.getLogger(__name__)


class Painted(NamedTuple):
    """The lesions of one image: uint8 (size, size) or None if there are none; each with its pixels; how many are too small."""

    labels: np.ndarray | None
    kept: list[tuple[Lesion, int]]
    too_small: int


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

    def draw(self, path: Path, chosen: Sequence[tuple[Slice, tuple[int, int]]], size: int, threads: int) -> list[bool]:
        """Write the lesion stack of a stack, and its table.

        Args:
            path: the stack of images, {split}.npy.
            chosen: each image of the stack, with the size of its original.
            size: side of the images in the stack, pixels.
            threads: number of reading processes.

        Returns:
            For each image whether it has an annotation that can be used.

        Raises:
            InputError: the share of annotations that cannot be used exceeds the limit.
        """
        marks = self.annotations.marks
        annotated = [one.image_id in marks for one, _ in chosen]
        wanted = {
            slot: Wanted(one, shape, marks[one.image_id]) for slot, (one, shape) in enumerate(chosen) if marks.get(one.image_id)
        }
        rows: dict[int, list[dict[str, Any]]] = {}
        identity = Identity(self.options.pseudonymise)
        with creating_lesions(path, (len(chosen), size, size)) as (labels, table):
            for slot, answer in read_lesions(self.dataset, self.options, size, wanted, threads):
                one = chosen[slot][0]
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
    dataset: Dataset, options: DatasetOptions, size: int, wanted: Mapping[int, Wanted], threads: int
) -> Iterator[tuple[int, Painted | Failure]]:
    """Read the lesion masks of slices. A mask that cannot be read fails alone, as an image does in `read_slices`.

    Args:
        dataset: the data set.
        options: its options.
        size: side of the images in the stack, pixels.
        wanted: the slices with their marks, by number; the numbers are chosen by the caller.
        threads: number of reading processes.

    Yields:
        The number with the painted lesions, or with the failure of its file, in order of completion.
    """
    if not wanted:
        return
    orders = by_file({number: one.slice for number, one in wanted.items()}, size)
    tasks = ((dataset.lesion_masks, options, source, [wanted[number] for number in numbers], size) for source, numbers in orders)
    yield from run_orders(paint_file, tasks, orders, dataset, options, threads, "lesions")


def paint_file(task: tuple[Callable[..., Any], DatasetOptions, str, list[Wanted], int]) -> list[Painted]:
    """Read and number the lesions of the wanted slices of one file; runs in a worker process.

    Raises:
        Unreadable: a mask is missing or has another size than its image, or an image has more lesions than can be numbered.
    """
    masks_of, options, source, wanted, size = task
    shapes = {one.slice.image_id: one.shape for one in wanted}
    painted = {}
    for image_id, masks in masks_of(options.root / source, wanted, options):
        rows, columns = shapes[image_id]
        for _, mask in masks:
            if mask.shape != (rows, columns):
                height, width = mask.shape
                raise Unreadable(f"a lesion mask has {height}x{width} pixels and its image {rows}x{columns}")
        labels, kept, too_small = label_image(masks, size)
        painted[image_id] = Painted(labels if kept else None, kept, too_small)
    if painted.keys() != shapes.keys():
        raise Unreadable("the lesion masks of a slice are missing")
    return [painted[one.slice.image_id] for one in wanted]

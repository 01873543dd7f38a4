"""Drawing one stack: pixels of the chosen slices, and replacements for those that cannot be used."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fplbench.datasets.identity import Identity
from fplbench.datasets.reader import Failure
from fplbench.datasets.registry import Slice
from fplbench.datasets.sampling.lesion_drawing import Drawn, LesionTally
from fplbench.datasets.sampling.pixels import Form, Image
from fplbench.datasets.sampling.series_windows import SeriesWindows
from fplbench.datasets.sampling.splits import Split
from fplbench.datasets.sampling.tally import Tally
from fplbench.errors import InputError
from fplbench.files import write_csv
from fplbench.stacks import creating_stack

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Drawing:
    """What the stacks of a data set have in common when they are drawn.

    Attributes:
        form: what the images are to be.
        threads: number of processes that read and decode.
        windows: the windows of the series.
        tally: counts what becomes of the slices, over all stacks.
        lesions: counts the lesions, over all stacks.
    """

    form: Form
    threads: int
    windows: SeriesWindows
    tally: Tally
    lesions: LesionTally

    def write(self, split: Split, path: Path, count: int) -> None:
        """Write a stack and its index, its lesions, and its HU and noisy images where they are wanted.

        Unreadable and near-empty images are replaced, if possible by ones of the same patient.

        Args:
            split: the slices drawn, and those in reserve.
            path: the .npy file; its name is that of the split.
            count: number of images.

        Raises:
            InputError: too few images can be used, or too many files cannot be read.
        """
        with _creating(path, count, self.form) as stacks:
            drawn, rows = self._fill(stacks, split, path.stem)
        self.tally.used[path.stem] = [one.slice for one in drawn]
        padded = sum(one.corner is not None and min(one.shape) < self.form.size for one in drawn)
        if padded:
            log.warning("%d of %d %s patches are larger than their slices and padded with black.", padded, count, path.stem)
        annotated = self.lesions.draw(path, drawn, self.form.size, self.threads)
        write_csv(path.with_suffix(".csv"), [row | {"annotated": int(known)} for row, known in zip(rows, annotated, strict=True)])

    def _fill(self, stacks: Mapping[str, np.ndarray], split: Split, name: str) -> tuple[list[Drawn], list[dict[str, Any]]]:
        """Read slices into the stacks of a split until these are full; returns what is drawn and the rows of the index."""
        order = sorted(split.drawn, key=lambda one: (one.patient, one.series, one.number, one.image_id))
        waiting = dict(enumerate(order))
        rows: dict[int, dict[str, Any]] = {}
        drawn: dict[int, Drawn] = {}
        identity = Identity(self.tally.options.pseudonymise)
        before = self.tally.near_empty
        while waiting:
            rejected = []
            for slot, answer in self._read(waiting):
                one = waiting[slot]
                if self.tally.accept(answer, one):
                    for part, stack in stacks.items():
                        stack[slot] = getattr(answer, part)
                    rows[slot] = _row(one, answer, identity)
                    drawn[slot] = Drawn(one, answer.shape, answer.corner)
                else:
                    rejected.append(slot)
            waiting = self._replacements(split, {slot: waiting[slot] for slot in sorted(rejected)})
            if len(waiting) < len(rejected):
                raise self._too_few(name, split, len(rows), self.tally.near_empty - before, len(waiting))
            self.tally.plan(waiting.values())
        return [drawn[slot] for slot in sorted(drawn)], [rows[slot] for slot in sorted(rows)]

    def _read(self, waiting: dict[int, Slice]) -> Iterator[tuple[int, Image | Failure]]:
        """Read slices, after the windows of their series, and record the files that those cannot be measured from."""
        self.windows.measure(waiting.values(), self.threads)
        self.tally.planned |= self.windows.tried
        for source, failure in sorted(self.windows.faults.items()):
            self.tally.reject(source, failure)
        yield from self.windows.read(self.form, waiting, self.threads)

    def _replacements(self, split: Split, rejected: dict[int, Slice]) -> dict[int, Slice]:
        """A replacement for each rejected slice, as far as there are any."""
        found = {
            slot: split.replace(one, lambda other: other.source not in self.tally.unreadable) for slot, one in rejected.items()
        }
        return {slot: one for slot, one in found.items() if one is not None}

    def _too_few(self, name: str, split: Split, used: int, near_empty: int, waiting: int) -> InputError:
        """The error for a split with too few images that can be used."""
        dataset = self.tally.name
        return InputError(
            f"{dataset}: sampling.{name} asks for {len(split.drawn)} images. Of the {len(split)} available for this split, "
            f"{used} can be used, {near_empty} are near-empty and {waiting} were not read; {len(self.tally.unreadable)} files "
            f"are unreadable. Lower the numbers in sampling, or datasets.{dataset}.min_content."
        )


@contextmanager
def _creating(path: Path, count: int, form: Form) -> Iterator[dict[str, np.ndarray]]:
    """Context that yields a stack to write, as `pixels`, and beside it `hu` and `noisy` where they are wanted."""
    shape = (count, form.size, form.size)
    with ExitStack() as files:
        stacks = {"pixels": files.enter_context(creating_stack(path, shape))}
        if form.hu:
            stacks["hu"] = files.enter_context(creating_stack(path.with_name(f"{path.stem}_hu.npy"), shape, dtype=np.int16))
        if form.noisy:
            stacks["noisy"] = files.enter_context(creating_stack(path.with_name(f"{path.stem}_noisy.npy"), shape))
        yield stacks


def _row(one: Slice, image: Image, identity: Identity) -> dict[str, Any]:
    """Index row of an image: identifiers, geometry, and the range of the original values."""
    spacing = one.spacing or ("", "")
    rows, columns = image.shape if image.corner is None else image.pixels.shape
    row = {
        "image_id": identity.of(one.image_id),
        "patient": identity.of(one.patient),
        "source": identity.of(one.source),
        "slice": one.number,
        "rows": rows,
        "columns": columns,
        "row_spacing_mm": spacing[0],
        "column_spacing_mm": spacing[1],
        "position_mm": "" if one.position is None else round(one.position, 3),
        "window_low": image.window[0],
        "window_high": image.window[1],
        "value_minimum": image.minimum,
        "value_maximum": image.maximum,
        "inverted": int(image.inverted),
    }
    return row if image.corner is None else row | {"top": image.corner[0], "left": image.corner[1]}

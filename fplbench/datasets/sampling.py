"""Drawing stacks from a data set: pixels of the chosen slices, and replacements for those that cannot be used."""

import json
import logging
import os
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from fplbench.datasets.annotations import check_annotations, lesion_slices, report_annotations
from fplbench.datasets.files import check_folder
from fplbench.datasets.identity import Identity
from fplbench.datasets.lesion_drawing import LesionTally
from fplbench.datasets.pixels import Image, read_slices
from fplbench.datasets.reference_noise import reference_noise
from fplbench.datasets.registry import Dataset, DatasetOptions, Slice, check_root, find_dataset
from fplbench.datasets.scan import Scan, check_readable, report, scan
from fplbench.datasets.splits import SPLITS, SamplingOptions, Split, candidates
from fplbench.datasets.tally import Tally, summarise
from fplbench.errors import InputError
from fplbench.files import write_csv, write_text
from fplbench.lesions.marks import Annotations
from fplbench.stacks import creating_stack, open_stack

log = logging.getLogger(__name__)

SUMMARY = "sampling.json"
HEADERS = "headers.csv"


def sample_dataset(
    name: str,
    options: DatasetOptions,
    sampling: SamplingOptions,
    seed: int,
    folder: str | os.PathLike,
    threads: int = 1,
    hu: bool = False,
    *,
    loader: str | None = None,
) -> dict[str, Any]:
    """Draw the stacks train, validation and test from a data set.

    Writes {train,validation,test}.npy and .csv, the lesions of each as {split}_lesions.npy and .csv, and a summary,
    sampling.json: all of them or none. The cache of the header scan, headers.csv, is written to the same folder. The same
    files and seed give the same stacks, bit for bit.

    Args:
        name: name of the data set.
        options: options of its loader, with its root.
        sampling: the numbers of images, their size, and the kind of split.
        seed: seed of the draw.
        folder: where to write.
        threads: number of processes that read and decode.
        hu: whether {split}_hu.npy is written too: the images in Hounsfield units, int16 (N, H, W). Everything else is the same.
        loader: name of the loader, if it is not the name of the data set.

    Returns:
        The summary: numbers of patients, images and lesions, of files left out, the leakage, and the noise of the clean images.

    Raises:
        InputError: there are no data or too few images, the share of unreadable files or of annotations that cannot be used
            exceeds the limit, or HU are asked for that the data set does not have.
    """
    dataset, folder = find_dataset(name, loader, options.label), Path(folder)
    if hu and not dataset.hounsfield:
        raise InputError(f"{name} has no Hounsfield units, which only CT has; draw it without --hu.")
    check_root(dataset, options.root)
    check_folder(folder)
    found = scan(dataset, options, threads, folder / HEADERS)
    report(found, options)
    check_readable(len(found.unreadable), len(found.headers), options, name)
    slices, omitted, annotations = _arrange(dataset, options, found)
    splits = candidates(slices, sampling, seed, name, lesion_slices(annotations))
    _report_lesions(splits, sampling, lesion_slices(annotations))
    tally, lesions = Tally(options, name), LesionTally(dataset, options, annotations)
    for split in splits.values():
        tally.plan(split.drawn)
    with _all_or_none(folder) as temporary:
        for split_name in SPLITS:
            _draw(dataset, sampling, splits[split_name], temporary / f"{split_name}.npy", threads, tally, lesions, hu)
        noise = reference_noise(open_stack(temporary / "test.npy"))
        summary = summarise(dataset, sampling, seed, slices, omitted, found, tally, lesions, noise)
        write_text(temporary / SUMMARY, json.dumps(summary, indent=2) + "\n")
    return summary


def _report_lesions(splits: Mapping[str, Split], sampling: SamplingOptions, marked: Collection[str]) -> None:
    """Log where fewer slices with a lesion are drawn than `lesions.share` asks for."""
    for split, wanted in sampling.lesion_counts().items():
        drawn = sum(one.image_id in marked for one in splits[split].drawn)
        if drawn < wanted:
            log.warning("Lesions: the %s images should include %d with a lesion, but there are only %d.", split, wanted, drawn)


def _arrange(dataset: Dataset, options: DatasetOptions, found: Scan) -> tuple[list[Slice], int, Annotations]:
    """The slices of a data set, the number of images left out, and the annotations; frees the headers."""
    slices, omitted = dataset.arrange(found.headers, options)
    for path, reason in sorted(omitted.items()):
        log.info("Left out: %s: %s.", Identity(options.pseudonymise).of(path), reason)
    annotations = dataset.annotate(found.headers, slices, options)
    found.headers.clear()  # for 244,000 images they take as much memory as everything else
    found.stamps.clear()
    report_annotations(annotations)
    check_annotations(len(annotations.faults), annotations.read, options, dataset.name)
    return slices, len(omitted), annotations


@contextmanager
def _all_or_none(folder: Path) -> Iterator[Path]:
    """Context that yields a temporary folder. Its files move to `folder` at the end, unless there is an exception.

    Remains of interrupted runs are deleted first.
    """
    for remains in folder.glob(".sampling.*"):
        shutil.rmtree(remains, ignore_errors=True)
    temporary = Path(tempfile.mkdtemp(prefix=".sampling.", dir=folder))
    try:
        yield temporary
        for file in sorted(temporary.iterdir()):
            file.replace(folder / file.name)
    finally:
        shutil.rmtree(temporary)


def _draw(
    dataset: Dataset,
    sampling: SamplingOptions,
    split: Split,
    path: Path,
    threads: int,
    tally: Tally,
    lesions: LesionTally,
    hu: bool,
) -> None:
    """Write one stack, its lesions, and its HU if asked for.

    Unreadable and near-empty images are replaced, if possible by ones of the same patient.
    """
    count, size = sampling.counts()[path.stem], sampling.size
    order = sorted(split.drawn, key=lambda one: (one.patient, one.series, one.number, one.image_id))
    waiting = dict(enumerate(order))
    rows: dict[int, dict[str, Any]] = {}
    chosen: dict[int, tuple[Slice, tuple[int, int]]] = {}
    identity = Identity(tally.options.pseudonymise)
    before = tally.near_empty
    with creating_stack(path, (count, size, size)) as stack, _creating_hu(path, stack.shape, hu) as units:
        while waiting:
            rejected = []
            for slot, answer in read_slices(dataset, tally.options, size, waiting, threads, hu):
                if tally.accept(answer, waiting[slot]):
                    stack[slot] = answer.pixels
                    if units is not None:
                        units[slot] = answer.hu
                    rows[slot] = _row(waiting[slot], answer, identity)
                    chosen[slot] = waiting[slot], answer.shape
                else:
                    rejected.append(slot)
            waiting = _replacements(split, {slot: waiting[slot] for slot in sorted(rejected)}, tally)
            if len(waiting) < len(rejected):
                raise InputError(
                    f"{dataset.name}: sampling.{path.stem} asks for {count} images. Of the {len(split)} available for this "
                    f"split, {len(rows)} can be used, {tally.near_empty - before} are near-empty and {len(waiting)} were not "
                    f"read; {len(tally.unreadable)} files are unreadable. Lower the numbers in sampling, or "
                    f"datasets.{dataset.name}.min_content."
                )
            tally.plan(waiting.values())
    tally.used[path.stem] = [chosen[slot][0] for slot in range(count)]
    annotated = lesions.draw(path, [chosen[slot] for slot in range(count)], size, threads)
    write_csv(path.with_suffix(".csv"), [rows[slot] | {"annotated": int(annotated[slot])} for slot in range(count)])


@contextmanager
def _creating_hu(path: Path, shape: tuple[int, ...], wanted: bool) -> Iterator[np.ndarray | None]:
    """Context that yields the HU to write beside a stack, or None if they are not wanted."""
    if not wanted:
        yield None
        return
    with creating_stack(path.with_name(f"{path.stem}_hu.npy"), shape, dtype=np.int16) as units:
        yield units


def _replacements(split: Split, rejected: dict[int, Slice], tally: Tally) -> dict[int, Slice]:
    """A replacement for each rejected slice, as far as there are any."""
    found = {slot: split.replace(one, lambda other: other.source not in tally.unreadable) for slot, one in rejected.items()}
    return {slot: one for slot, one in found.items() if one is not None}


def _row(one: Slice, image: Image, identity: Identity) -> dict[str, Any]:
    """Index row of an image: identifiers, geometry, and the range of the original values."""
    spacing = one.spacing or ("", "")
    return {
        "image_id": identity.of(one.image_id),
        "patient": identity.of(one.patient),
        "source": identity.of(one.source),
        "slice": one.number,
        "rows": image.shape[0],
        "columns": image.shape[1],
        "row_spacing_mm": spacing[0],
        "column_spacing_mm": spacing[1],
        "position_mm": "" if one.position is None else round(one.position, 3),
        "window_low": image.window[0],
        "window_high": image.window[1],
        "value_minimum": image.minimum,
        "value_maximum": image.maximum,
        "inverted": int(image.inverted),
    }

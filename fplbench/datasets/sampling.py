"""The second pass: pixels of the slices that are drawn, into stacks."""

import json
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fplbench.datasets.identity import Identity
from fplbench.datasets.outputs import check_folder
from fplbench.datasets.parts import Part
from fplbench.datasets.pixels import Image, read_slices
from fplbench.datasets.registry import DATASETS, Dataset, DatasetOptions, Slice, check_root
from fplbench.datasets.scan import check_readable, report, scan
from fplbench.datasets.splits import SPLITS, SamplingOptions, candidates
from fplbench.datasets.tally import Tally, summarise
from fplbench.errors import InputError
from fplbench.files import write_csv
from fplbench.stacks import creating_stack

log = logging.getLogger(__name__)

SUMMARY = "sampling.json"
HEADERS = "headers.csv"


def sample_dataset(
    name: str, options: DatasetOptions, sampling: SamplingOptions, seed: int, folder: str | os.PathLike, threads: int = 1
) -> dict:
    """Draw the stacks train, validation and test of a data set.

    The folder gets {train,validation,test}.npy and .csv and a summary, sampling.json, all of them or none; beside them
    stays headers.csv, the cache of the header scan. Same seed and same files give the same stacks, bit for bit.

    Args:
        name: lidc, rsna or lits.
        options: the data set's options, with its root.
        sampling: numbers, size and kind of split.
        seed: seed of the draw.
        folder: where to write.
        threads: processes that read and decode.

    Returns:
        The summary that is written: numbers of patients and images, what was left out, and the leak.

    Raises:
        InputError: no data, too few images, or more unreadable files than the options allow.
    """
    dataset, folder = DATASETS[name], Path(folder)
    check_root(name, options.root)
    check_folder(folder)
    found = scan(dataset, options, threads, folder / HEADERS)
    report(found, options)
    check_readable(len(found.unreadable), len(found.headers), options, name)
    slices, omitted = dataset.arrange(found.headers, options)
    found.headers.clear()  # for 244,000 images they take as much memory as everything else
    found.stamps.clear()
    for path, reason in sorted(omitted.items()):
        log.info("Left out: %s: %s.", Identity(options.pseudonymise).of(path), reason)
    parts = candidates(slices, sampling, seed, name)
    tally = Tally(options, name)
    for part in parts.values():
        tally.plan(part.drawn)
    with _all_or_none(folder) as temporary:
        for part in SPLITS:
            _draw(dataset, sampling, parts[part], temporary / f"{part}.npy", threads, tally)
        summary = summarise(dataset, sampling, seed, slices, len(omitted), found, tally)
        (temporary / SUMMARY).write_text(json.dumps(summary, indent=2) + "\n")
    return summary


@contextmanager
def _all_or_none(folder: Path) -> Iterator[Path]:
    """Context that yields a folder whose files move to `folder` at the end, unless there is an exception.

    What a killed run left behind goes first.
    """
    for left in folder.glob(".sampling.*"):
        shutil.rmtree(left, ignore_errors=True)
    temporary = Path(tempfile.mkdtemp(prefix=".sampling.", dir=folder))
    try:
        yield temporary
        for file in sorted(temporary.iterdir()):
            file.replace(folder / file.name)
    finally:
        shutil.rmtree(temporary)


def _draw(dataset: Dataset, sampling: SamplingOptions, part: Part, path: Path, threads: int, tally: Tally) -> None:
    """Fill one stack; what is unreadable or near-empty is replaced, by the same patient where it has more to give."""
    count = sampling.counts()[path.stem]
    order = sorted(part.drawn, key=lambda one: (one.patient, one.series, one.number, one.image_id))
    waiting = dict(enumerate(order))
    rows: dict[int, dict] = {}
    used = tally.used.setdefault(path.stem, [])
    identity = Identity(tally.options.pseudonymise)
    before = tally.near_empty
    with creating_stack(path, (count, sampling.size, sampling.size)) as stack:
        while waiting:
            rejected = []
            for slot, answer in read_slices(dataset, tally.options, sampling.size, waiting, threads):
                if not tally.accept(waiting[slot], answer):
                    rejected.append(slot)
                    continue
                stack[slot] = answer.pixels
                rows[slot] = _row(waiting[slot], answer, identity)
                used.append(waiting[slot])
            waiting = _replacements(part, {slot: waiting[slot] for slot in sorted(rejected)}, tally)
            if len(waiting) < len(rejected):
                raise InputError(
                    f"{dataset.name}: sampling.{path.stem} asks for {count} images; of the {len(part)} that fall to it, "
                    f"{len(rows)} can be used, {tally.near_empty - before} are near-empty and {len(waiting)} were not "
                    f"looked at any more; {len(tally.unreadable)} files are unreadable. Lower the numbers in sampling, or "
                    f"datasets.{dataset.name}.min_content."
                )
            tally.plan(waiting.values())
    write_csv(path.with_suffix(".csv"), [rows[slot] for slot in range(count)])


def _replacements(part: Part, rejected: dict[int, Slice], tally: Tally) -> dict[int, Slice]:
    """A replacement for each rejected slice, as far as there are any."""
    found = {slot: part.replace(one, lambda other: other.source not in tally.unreadable) for slot, one in rejected.items()}
    return {slot: one for slot, one in found.items() if one is not None}


def _row(one: Slice, image: Image, identity: Identity) -> dict:
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

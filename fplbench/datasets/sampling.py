"""The second pass: pixels of the slices that are drawn, into stacks."""

import json
import logging
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from fplbench import stacks
from fplbench.datasets.catalogue import DATASETS, Dataset, DatasetOptions, Slice, check_root
from fplbench.datasets.display import content
from fplbench.datasets.identity import Identity
from fplbench.datasets.pixels import Image, read_slices
from fplbench.datasets.scan import Scan, check_readable, scan
from fplbench.datasets.splits import SPLITS, SamplingOptions, candidates, leak
from fplbench.errors import InputError

log = logging.getLogger(__name__)

SUMMARY = "sampling.json"
HEADERS = "headers.csv"


@dataclass
class Tally:
    """What became of the slices and files tried in the second pass."""

    used: dict[str, list[Slice]] = field(default_factory=dict)
    near_empty: int = 0
    read: set[str] = field(default_factory=set)
    unreadable: dict[str, str] = field(default_factory=dict)

    def accept(self, one: Slice, answer: Image | str, options: DatasetOptions) -> bool:
        """Note what became of a slice; whether it can be used."""
        self.read.add(one.source)
        if isinstance(answer, str):
            if one.source not in self.unreadable:
                log.warning("Unreadable: %s: %s.", Identity(options.pseudonymise).of(one.source), answer)
            self.unreadable[one.source] = answer
            return False
        usable = content(answer.pixels) >= options.min_content
        self.near_empty += not usable
        return usable

    def check(self, options: DatasetOptions, name: str, at_least: int = 1) -> None:
        """Stop when too large a share of the files read so far is unreadable, once there are `at_least` of them."""
        if len(self.read) >= at_least:
            check_readable(len(self.unreadable), len(self.read) - len(self.unreadable), options, name)


def sample_dataset(
    name: str,
    options: DatasetOptions,
    sampling: SamplingOptions,
    seed: int,
    folder: str | os.PathLike,
    threads: int = 1,
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
    folder.mkdir(parents=True, exist_ok=True)
    found = scan(dataset, options, threads, folder / HEADERS)
    check_readable(len(found.unreadable), len(found.headers), options, name)
    slices, repeats = dataset.arrange(found.headers, options)
    for path, reason in sorted(repeats.items()):
        log.info("Left out: %s: %s.", Identity(options.pseudonymise).of(path), reason)
    parts = candidates(slices, sampling, seed, name)
    tally = Tally()
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        for part in SPLITS:
            _draw(dataset, options, sampling, parts[part], temporary / f"{part}.npy", threads, tally)
        tally.check(options, name)
        summary = _summarise(dataset, sampling, seed, slices, len(found.skipped) + len(repeats), found, tally)
        (temporary / SUMMARY).write_text(json.dumps(summary, indent=2) + "\n")
        for file in sorted(temporary.iterdir()):
            file.replace(folder / file.name)
    finally:
        shutil.rmtree(temporary)
    return summary


def _draw(
    dataset: Dataset,
    options: DatasetOptions,
    sampling: SamplingOptions,
    queue: list[Slice],
    path: Path,
    threads: int,
    tally: Tally,
) -> None:
    """Fill one stack; what is unreadable or near-empty is replaced by the next candidate."""
    count = sampling.counts()[path.stem]
    order = sorted(queue[:count], key=lambda one: (one.patient, one.series, one.number, one.image_id))
    spare = iter(queue[count:])
    waiting = dict(enumerate(order))
    rows: dict[int, dict] = {}
    used = tally.used.setdefault(path.stem, [])
    identity = Identity(options.pseudonymise)
    with stacks.creating_stack(path, (count, sampling.size, sampling.size)) as stack:
        while waiting:
            rejected = []
            for slot, answer in read_slices(dataset, options, sampling.size, waiting, threads):
                if not tally.accept(waiting[slot], answer, options):
                    rejected.append(slot)
                    continue
                stack[slot] = answer.pixels
                rows[slot] = _row(waiting[slot], answer, identity)
                used.append(waiting[slot])
            tally.check(options, dataset.name, at_least=100)
            fresh = (one for one in spare if one.source not in tally.unreadable)
            waiting = dict(zip(sorted(rejected), fresh, strict=False))
            if len(waiting) < len(rejected):
                raise InputError(
                    f"{dataset.name}: sampling.{path.stem} asks for {count} images and finds at most "
                    f"{len(rows) + len(waiting)}; {tally.near_empty} images are near-empty and "
                    f"{len(tally.unreadable)} files unreadable."
                )
    stacks.write_csv(path.with_suffix(".csv"), [rows[slot] for slot in range(count)])


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
    }


def _summarise(
    dataset: Dataset,
    sampling: SamplingOptions,
    seed: int,
    slices: Sequence[Slice],
    left_out: int,
    found: Scan,
    tally: Tally,
) -> dict:
    """Numbers that tables and reports quote; logged as sentences."""
    summary = {
        "dataset": dataset.name,
        "split": sampling.split,
        "seed": seed,
        "patients_found": len({one.patient for one in slices}),
        "images_found": len(slices),
        "patients": {part: len({one.patient for one in tally.used[part]}) for part in SPLITS},
        "images": {part: len(tally.used[part]) for part in SPLITS},
        "test_images_of_training_patients": leak(tally.used),
        "files_left_out": left_out,
        "files_unreadable": len(found.unreadable) + len(tally.unreadable),
        "images_near_empty": tally.near_empty,
    }
    log.info(
        "Drew %s images from %d of %d patients; %.1f %% of the test images are of a patient in the training part.",
        " + ".join(str(number) for number in summary["images"].values()),
        len({one.patient for one in chain.from_iterable(tally.used.values())}),
        summary["patients_found"],
        100 * summary["test_images_of_training_patients"],
    )
    return summary

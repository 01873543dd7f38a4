"""Drawing the stacks train, validation and test from a data set."""

import json
import logging
import os
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fplbench.datasets.annotations import check_annotations, lesion_slices, report_annotations
from fplbench.datasets.files import check_folder
from fplbench.datasets.identity import Identity
from fplbench.datasets.persons import counted_lines, patients_counted_by
from fplbench.datasets.reference_noise import reference_noise
from fplbench.datasets.registry import Dataset, DatasetOptions, dataset_of
from fplbench.datasets.roots import check_root
from fplbench.datasets.sampling.drawing import Drawing
from fplbench.datasets.sampling.lesion_drawing import LesionTally
from fplbench.datasets.sampling.pixels import Form
from fplbench.datasets.sampling.series_windows import SeriesWindows
from fplbench.datasets.sampling.splits import SamplingOptions, Split, candidates
from fplbench.datasets.sampling.tally import Arranged, Tally, summarise
from fplbench.datasets.scan import Scan, check_headers, report, scan
from fplbench.errors import InputError
from fplbench.files import write_text
from fplbench.lesions.marks import Annotations
from fplbench.stacks import open_stack

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

    Writes {train,validation,test}.npy and .csv, the lesions of each as {split}_lesions.npy and .csv, of pairs the noisy
    images as {split}_noisy.npy, and a summary, sampling.json: all of them or none. The cache of the header scan, headers.csv,
    is written to the same folder. The same files and seed give the same stacks, bit for bit.

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
    dataset, folder = dataset_of(name, loader, options), Path(folder)
    if hu and not dataset.hounsfield:
        raise InputError(f"{name} has no Hounsfield units, which only CT has; draw it without --hu.")
    check_root(dataset, options.root)
    check_folder(folder)
    found = scan(dataset, options, threads, folder / HEADERS)
    report(found, options)
    check_headers(found, options, name)
    arranged, annotations = _arrange(dataset, options, found)
    splits = candidates(arranged.slices, sampling, seed, name, lesion_slices(annotations))
    _report_lesions(splits, sampling, lesion_slices(annotations))
    tally, lesions = Tally(options, name), LesionTally(dataset, options, annotations)
    for split in splits.values():
        tally.plan(split.drawn)
    form = Form(sampling.size, hu, dataset.paired, (seed, name) if sampling.fit == "patch" else None)
    drawing = Drawing(form, threads, SeriesWindows(dataset, options, arranged.slices), tally, lesions)
    with _all_or_none(folder) as temporary:
        for split_name, count in sampling.counts().items():
            drawing.write(splits[split_name], temporary / f"{split_name}.npy", count)
        noise = reference_noise(open_stack(temporary / "test.npy"))
        summary = summarise(dataset, sampling, seed, arranged, found, tally, lesions, noise)
        write_text(temporary / SUMMARY, json.dumps(summary, indent=2) + "\n")
    return summary


def _report_lesions(splits: Mapping[str, Split], sampling: SamplingOptions, marked: Collection[str]) -> None:
    """Log where fewer slices with a lesion are drawn than `lesions.share` asks for."""
    for split, wanted in sampling.lesion_counts().items():
        drawn = sum(one.image_id in marked for one in splits[split].drawn)
        if drawn < wanted:
            log.warning("Lesions: the %s images should include %d with a lesion, but there are only %d.", split, wanted, drawn)


def _arrange(dataset: Dataset, options: DatasetOptions, found: Scan) -> tuple[Arranged, Annotations]:
    """What the headers of a data set say, and the annotations; frees the headers."""
    slices, omitted = dataset.arrange(found.headers, options, dataset.name)
    for path, reason in sorted(omitted.items()):
        log.info("Left out: %s: %s.", Identity(options.pseudonymise).of(path), reason)
    for line in counted_lines(patients_counted_by(slices)):
        log.warning("%s", line)
    annotations = dataset.annotate(found.headers, slices, options)
    found.headers.clear()  # for 244,000 images they take as much memory as everything else
    found.stamps.clear()
    report_annotations(annotations)
    check_annotations(len(annotations.faults), annotations.read, options, dataset.name)
    return Arranged(slices, len(omitted)), annotations


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

"""A report on a data folder: what it contains, whether the images can be drawn from it, and a contact sheet."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from fplbench.datasets.annotations import annotation_lines, check_annotations, lesion_slices, lesions_in
from fplbench.datasets.files import check_file
from fplbench.datasets.identity import Identity
from fplbench.datasets.persons import counted_lines, patients_counted_by, persons_known
from fplbench.datasets.registry import Dataset, DatasetOptions, Slice, dataset_of
from fplbench.datasets.roots import check_root
from fplbench.datasets.sampling.contact_sheet import FEW, Sheet, contact_sheet
from fplbench.datasets.sampling.splits import SamplingOptions, candidates, leak
from fplbench.datasets.sampling.tally import PERSONS_UNKNOWN
from fplbench.datasets.scan import Scan, check_headers, check_readable, files, scan
from fplbench.errors import InputError
from fplbench.lesions.marks import Annotations

UNREADABLE_LISTED = 100
SAME_LISTED = 3  # files named one by one if they have the same fault
GAPS_LISTED = 20
FOLDERS_LISTED = 20  # lines about files in no pair


def check_data(
    name: str,
    options: DatasetOptions,
    sampling: SamplingOptions,
    seed: int,
    threads: int,
    sheet: Path,
    cache: Path | None = None,
    *,
    loader: str | None = None,
) -> tuple[list[str], bool]:
    """Examine a data folder without sampling it, and write a contact sheet of 16 windowed slices with outlined lesions.

    Args:
        name: name of the data set.
        options: options of its loader, with its root.
        sampling: what is to be drawn.
        seed: seed of the draw.
        threads: number of reading processes.
        sheet: the .png file to write; nothing is written if no image can be decoded.
        cache: .csv file with the results of an earlier header scan; it is read and updated.
        loader: name of the loader, if it is not the name of the data set.

    Returns:
        The lines of the report, and whether the images can be drawn, judging by the headers and the 16 slices.

    Raises:
        InputError: there is no data folder, no file in it can be used, or the results cannot be written.
    """
    dataset = dataset_of(name, loader, options)
    check_root(dataset, options.root)
    check_file(sheet, ".png", "--sheet")
    if cache:
        check_file(cache, ".csv", "--cache")
    found = scan(dataset, options, threads, cache)
    slices, omitted = dataset.arrange(found.headers, options, dataset.name)
    annotations = dataset.annotate(found.headers, slices, options)
    seen = contact_sheet(dataset, options, slices, threads, sheet, annotations)
    try:
        verdict, possible = _verdict(dataset, options, sampling, seed, found, slices, annotations, seen), True
    except InputError as error:
        verdict, possible = f"No: {error}", False
    identity = Identity(options.pseudonymise)
    lines = [
        f"{dataset.label} in {options.root}\n",
        *_contents(dataset, slices, len(found.headers)),
        *_left_out(found, omitted, identity),
        *(_alone(omitted, identity) if dataset.paired else []),
        *(_gaps(slices, identity) if dataset.scans else []),
        *annotation_lines(annotations, slices, persons_known(slices)),
        *_seen(seen, sheet, identity),
        *(_small(seen, sampling.size) if sampling.fit == "patch" else []),
    ]
    return [*lines, "", verdict], possible


def _contents(dataset: Dataset, slices: Sequence[Slice], count: int) -> list[str]:
    """Numbers of patients, series and slices."""
    counted = counted_lines(patients_counted_by(slices))
    if not persons_known(slices):
        return [f"Images (persons unknown): {len(slices)}", PERSONS_UNKNOWN, *counted]
    per_patient = Counter(one.patient for one in slices)
    lines = [f"Patients: {len(per_patient)}", *counted]
    if dataset.scans:
        lines.append(f"Series:   {len({(one.patient, one.series) for one in slices})}")
    kind = "Slices" if dataset.scans else "Images"
    lines.append(f"{kind}:   {len(slices)} in {files(count)}")
    if per_patient:
        counts = sorted(per_patient.values())
        lines.append(f"{kind} per patient: {counts[0]} to {counts[-1]}, median {counts[len(counts) // 2]}")
    return lines


def _left_out(found: Scan, omitted: dict[str, str], identity: Identity) -> list[str]:
    """Files that are left out, by reason with an example, and the names of unreadable files."""
    by_reason = defaultdict(list)
    for path, reason in (found.skipped | omitted).items():
        by_reason[reason].append(path)
    lines = [f"Left out: {files(found.files_left_out + len(omitted))}. Unreadable: {files(len(found.unreadable))}."]
    for reason in sorted(by_reason):
        lines.append(f"  {files(len(by_reason[reason]))}: {reason}, for example {identity.of(min(by_reason[reason]))}")
    lines += [f"  {files(count)}: {reason}" for reason, count in sorted(found.others.items())]
    unreadable = _faults(found.unreadable, identity)
    lines += unreadable[:UNREADABLE_LISTED]
    if len(unreadable) > UNREADABLE_LISTED:
        lines.append("  and more unreadable files; `fplbench sample` lists them all")
    return lines


def _alone(omitted: dict[str, str], identity: Identity) -> list[str]:
    """How many files of each folder are in no pair, by reason."""
    groups = Counter((PurePosixPath(path).parent.as_posix(), reason) for path, reason in omitted.items())
    lines = [f"  {identity.of(folder)}: {files(groups[folder, reason])}: {reason}" for folder, reason in sorted(groups)]
    more = [f"  and {len(lines) - FOLDERS_LISTED + 1} more lines"] if len(lines) > FOLDERS_LISTED else []
    return ["Not in a pair, by folder:", *lines[: FOLDERS_LISTED - len(more)], *more] if lines else []


def _faults(faults: Mapping[str, str], identity: Identity) -> list[str]:
    """A line for each faulty file with its reason; many files with the same reason share a line, with one as the example."""
    times = Counter(faults.values())
    lines = {}
    for path in sorted(faults):
        reason = faults[path]
        if times[reason] <= SAME_LISTED:
            lines[path] = f"  {identity.of(path)}: {reason}"
        else:
            lines.setdefault(reason, f"  {files(times[reason])}: {reason}, for example {identity.of(path)}")
    return list(lines.values())


def _gaps(slices: Sequence[Slice], identity: Identity) -> list[str]:
    """Series whose slices are not equidistant: a slice is missing, or the spacing changes."""
    positions = defaultdict(list)
    for one in slices:
        if one.position is not None:
            positions[one.series].append(one.position)
    lines = []
    for series, values in sorted(positions.items()):
        steps = np.diff(sorted(values))
        if len(steps) and steps.max() > 1.5 * np.median(steps):
            lines.append(f"  {identity.of(series)}: slices {np.median(steps):g} mm apart, with a gap of {steps.max():g} mm")
    return [f"Series with a gap: {len(lines)}", *lines[:GAPS_LISTED]]


def _seen(seen: Sheet, path: Path, identity: Identity) -> list[str]:
    """What the contact sheet shows, and the files on it that cannot be decoded."""
    if seen.shown:
        outlined = f", with a lesion, shown first and outlined: {seen.lesions}" if seen.lesions else ""
        lines = [f"Contact sheet: {path}. Images shown: {seen.shown}, of which near-empty: {seen.near_empty}{outlined}"]
    else:
        lines = ["Contact sheet: not written, since no image could be read"]
    if seen.faults:
        lines.append(f"Cannot be decoded: {len(seen.faults)} of the {files(len(seen.tried))} read for the contact sheet")
    lines += _faults(seen.faults, identity)
    if seen.flat:
        example = identity.of(min(seen.flat))
        lines.append(
            f"Perhaps masks, as no value in these images is below 0 or above {FEW}: {files(len(seen.flat))}, such as {example}"
        )
    if seen.mask_faults:
        lines.append(f"Lesion masks that cannot be read: those of {files(len(seen.mask_faults))}")
    return lines + _faults(seen.mask_faults, identity)


def _small(seen: Sheet, size: int) -> list[str]:
    """How many images of the contact sheet do not fill a patch."""
    small = sum(min(shape) < size for shape in seen.sizes)
    if not small:
        return []
    return [f"Smaller than a patch of {size}x{size} pixels: {small} of the {seen.shown} images shown; their patches have margins"]


def _verdict(
    dataset: Dataset,
    options: DatasetOptions,
    sampling: SamplingOptions,
    seed: int,
    found: Scan,
    slices: Sequence[Slice],
    annotations: Annotations,
    seen: Sheet,
) -> str:
    """The sentences that start with Yes. Raises InputError if the images cannot be drawn."""
    counts, name = sampling.counts(), dataset.name
    check_headers(found, options, name)
    check_annotations(len(annotations.faults), annotations.read, options, name)
    splits = candidates(slices, sampling, seed, name, lesion_slices(annotations))
    check_readable(len(seen.faults), len(seen.tried) - len(seen.faults), options, name)
    _check_content(name, seen, len(slices), sum(counts.values()))
    numbers = " + ".join(f"{count} {split}" for split, count in counts.items())
    answer = f"Yes: {numbers} images can be drawn with split {sampling.split}"
    drawn = {split: splits[split].drawn for split in counts}
    lesions = f" Of these images, {lesions_in(drawn, annotations)} show a lesion." if annotations.marks else ""
    if not persons_known(slices):
        return f"{answer}; it is unknown how many of the test images share a person with the training images.{lesions}"
    return f"{answer}; {leak(drawn):.1%} of the test images share a patient with the training images.{lesions}"


def _check_content(name: str, seen: Sheet, found: int, wanted: int) -> None:
    """Raise InputError if too many images seem to be near-empty. Those chosen for their lesions say nothing about the rest."""
    shown, near_empty = (seen.even, seen.even_near_empty) if seen.even else (seen.shown, seen.near_empty)
    usable = found * (shown - near_empty) // max(shown, 1)
    if usable < wanted:
        which = "images on the contact sheet" if shown == seen.shown else "other images on the contact sheet"
        raise InputError(
            f"{name}: {near_empty} of the {shown} {which} are near-empty, so about {usable} of {found} can be used, and sampling "
            f"asks for {wanted}; lower the numbers in sampling, or datasets.{name}.min_content."
        )

"""What a data folder holds, and whether the images asked for can be drawn from it."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fplbench.datasets.identity import Identity
from fplbench.datasets.outputs import check_file
from fplbench.datasets.registry import DATASETS, Dataset, DatasetOptions, Slice, check_root
from fplbench.datasets.scan import Scan, check_readable, files, scan
from fplbench.datasets.sheet import Sheet, contact_sheet
from fplbench.datasets.splits import SamplingOptions, candidates, leak
from fplbench.datasets.tally import PERSONS_UNKNOWN
from fplbench.errors import InputError

NAMES = 100  # of unreadable files, at most


def check_data(
    name: str, options: DatasetOptions, sampling: SamplingOptions, seed: int, threads: int, sheet: Path, cache: Path | None = None
) -> tuple[list[str], bool]:
    """Look at a data folder without sampling it; writes a contact sheet of 16 windowed slices.

    Args:
        name: lidc, rsna or lits.
        options: the data set's options, with its root.
        sampling: what is to be drawn.
        seed: seed of the draw.
        threads: processes that read.
        sheet: .png file to write.
        cache: .csv file of an earlier header scan, read and brought up to date.

    Returns:
        The lines of the report, and whether the draw is possible, as far as the headers and the 16 images tell.

    Raises:
        InputError: there is no data folder, or the results cannot be written.
    """
    dataset = DATASETS[name]
    check_root(name, options.root)
    check_file(sheet, ".png", "--sheet")
    if cache:
        check_file(cache, ".csv", "--cache")
    found = scan(dataset, options, threads, cache)
    slices, omitted = dataset.arrange(found.headers, options)
    seen = contact_sheet(name, options, slices, threads, sheet)
    try:
        verdict, possible = _possible(name, options, sampling, seed, found, slices, seen), True
    except InputError as error:
        verdict, possible = f"No: {error}", False
    identity = Identity(options.pseudonymise)
    lines = [
        f"{dataset.label} in {options.root}\n",
        *_contents(dataset, options, slices, len(found.headers)),
        *_left_out(found, omitted, identity),
        *(_irregular(slices, identity) if dataset.scans else []),
        *_seen(seen, sheet, identity),
    ]
    return [*lines, "", verdict], possible


def _contents(dataset: Dataset, options: DatasetOptions, slices: Sequence[Slice], count: int) -> list[str]:
    if not dataset.persons_known(options):
        return [f"Images (persons unknown): {len(slices)}", PERSONS_UNKNOWN]
    per_patient = Counter(one.patient for one in slices)
    lines = [f"Patients: {len(per_patient)}"]
    if dataset.scans:
        lines.append(f"Series:   {len({(one.patient, one.series) for one in slices})}")
    kind = "Slices" if dataset.scans else "Images"
    lines.append(f"{kind}:   {len(slices)} in {files(count)}")
    if per_patient:
        counts = sorted(per_patient.values())
        lines.append(f"{kind} of a patient: {counts[0]} to {counts[-1]}, median {counts[len(counts) // 2]}")
    return lines


def _left_out(found: Scan, omitted: dict[str, str], identity: Identity) -> list[str]:
    """Files left out by reason with an example, the unreadable ones by name."""
    by_reason = defaultdict(list)
    for path, reason in (found.skipped | omitted).items():
        by_reason[reason].append(path)
    lines = [f"Left out: {files(found.files_left_out + len(omitted))} by rule, {len(found.unreadable)} unreadable"]
    lines += [
        f"  {files(len(by_reason[reason]))}: {reason}, such as {identity.of(min(by_reason[reason]))}"
        for reason in sorted(by_reason)
    ]
    lines += [f"  {files(count)}: {reason}" for reason, count in sorted(found.others.items())]
    lines += [f"  {identity.of(path)}: {found.unreadable[path]}" for path in sorted(found.unreadable)[:NAMES]]
    if len(found.unreadable) > NAMES:
        lines.append(f"  and {len(found.unreadable) - NAMES} more unreadable files, which `fplbench sample` names")
    return lines


def _irregular(slices: Sequence[Slice], identity: Identity) -> list[str]:
    """Series whose slices are not at equal distances: a slice is missing, or the spacing changes."""
    positions = defaultdict(list)
    for one in slices:
        if one.position is not None:
            positions[one.series].append(one.position)
    lines = []
    for series, values in sorted(positions.items()):
        steps = np.diff(sorted(values))
        if len(steps) and steps.max() > 1.5 * np.median(steps):
            lines.append(f"  {identity.of(series)}: slices {np.median(steps):g} mm apart, somewhere {steps.max():g} mm")
    return [f"Series with a gap: {len(lines)}", *lines[:20]]


def _seen(seen: Sheet, path: Path, identity: Identity) -> list[str]:
    """What the contact sheet shows, and which of its files cannot be decoded."""
    lines = [f"Contact sheet: {path}, {seen.shown} images, of which {seen.near_empty} are near-empty"]
    if seen.faults:
        lines.append(f"Cannot be decoded: {len(seen.faults)} of the {files(len(seen.tried))} tried for the sheet")
    return lines + [f"  {identity.of(source)}: {seen.faults[source]}" for source in sorted(seen.faults)]


def _possible(name, options, sampling, seed, found: Scan, slices: Sequence[Slice], seen: Sheet) -> str:
    """The sentence that says yes; raises InputError where the images cannot be drawn."""
    asked = sampling.counts()
    check_readable(len(found.unreadable), len(found.headers), options, name)
    parts = candidates(slices, sampling, seed, name)
    check_readable(len(seen.faults), len(seen.tried) - len(seen.faults), options, name)
    usable = len(slices) * (seen.shown - seen.near_empty) // max(seen.shown, 1)
    if usable < sum(asked.values()):
        raise InputError(
            f"{name}: {seen.near_empty} of the {seen.shown} images of the contact sheet are near-empty, so about {usable} of "
            f"{len(slices)} can be used, and sampling asks for {sum(asked.values())}; lower the numbers in sampling, or "
            f"datasets.{name}.min_content."
        )
    wanted = " + ".join(f"{count} {part}" for part, count in asked.items())
    answer = f"Yes: {wanted} images can be drawn with split {sampling.split}"
    if not DATASETS[name].persons_known(options):
        return f"{answer}; how many of the test images share a person with the training images is unknown."
    shared = leak({part: parts[part].drawn for part in asked})
    return f"{answer}; {shared:.1%} of the test images share a patient with the training images."

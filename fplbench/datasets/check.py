"""A report on a data folder: what it contains, whether the images can be drawn from it, and a contact sheet."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from fplbench.datasets.display import content
from fplbench.datasets.files import check_file
from fplbench.datasets.identity import Identity
from fplbench.datasets.pixels import read_slices
from fplbench.datasets.reader import Failure
from fplbench.datasets.registry import DATASETS, Dataset, DatasetOptions, Slice, check_root
from fplbench.datasets.scan import Scan, check_readable, files, scan
from fplbench.datasets.splits import SamplingOptions, candidates, leak
from fplbench.datasets.tally import PERSONS_UNKNOWN
from fplbench.errors import InputError

UNREADABLE_LISTED = 100
GAPS_LISTED = 20
IMAGES = 16  # of the contact sheet
THUMBNAIL = 256  # pixels
CAPTION = 16  # pixels


@dataclass
class Sheet:
    """What the images of a contact sheet show.

    Attributes:
        tried: the files that were read.
        faults: why a file cannot be decoded, by path.
        shown: number of images shown.
        near_empty: number of these that are near-empty.
    """

    tried: set[str] = field(default_factory=set)
    faults: dict[str, str] = field(default_factory=dict)
    shown: int = 0
    near_empty: int = 0


def check_data(
    name: str, options: DatasetOptions, sampling: SamplingOptions, seed: int, threads: int, sheet: Path, cache: Path | None = None
) -> tuple[list[str], bool]:
    """Examine a data folder without sampling it, and write a contact sheet of 16 windowed slices.

    Args:
        name: lidc, rsna or lits.
        options: options of the data set, with its root.
        sampling: what is to be drawn.
        seed: seed of the draw.
        threads: number of reading processes.
        sheet: the .png file to write; nothing is written if no image can be decoded.
        cache: .csv file with the results of an earlier header scan; it is read and updated.

    Returns:
        The lines of the report, and whether the images can be drawn, judging by the headers and the 16 slices.

    Raises:
        InputError: there is no data folder, no file in it can be used, or the results cannot be written.
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
        verdict, possible = _verdict(name, options, sampling, seed, found, slices, seen), True
    except InputError as error:
        verdict, possible = f"No: {error}", False
    identity = Identity(options.pseudonymise)
    lines = [
        f"{dataset.label} in {options.root}\n",
        *_contents(dataset, options, slices, len(found.headers)),
        *_left_out(found, omitted, identity),
        *(_gaps(slices, identity) if dataset.scans else []),
        *_seen(seen, sheet, identity),
    ]
    return [*lines, "", verdict], possible


def contact_sheet(name: str, options: DatasetOptions, slices: Sequence[Slice], threads: int, path: Path) -> Sheet:
    """Write 16 slices, spread evenly over the data set, as a .png file with their names.

    Nothing is written if none of the slices can be decoded.
    """
    from PIL import Image, ImageDraw

    step = max(len(slices) / IMAGES, 1)
    chosen = {number: slices[int((number + 0.5) * step)] for number in range(min(IMAGES, len(slices)))}
    picture = Image.new("L", (4 * THUMBNAIL, 4 * (THUMBNAIL + CAPTION)))
    draw = ImageDraw.Draw(picture)
    identity = Identity(options.pseudonymise)
    sheet = Sheet({one.source for one in chosen.values()})
    for number, answer in read_slices(DATASETS[name], options, THUMBNAIL, chosen, threads):
        one = chosen[number]
        left, top = number % 4 * THUMBNAIL, number // 4 * (THUMBNAIL + CAPTION)
        if isinstance(answer, Failure):
            sheet.faults[one.source] = answer.words(options.root, one.source, options.pseudonymise)
            draw.text((left + 4, top + THUMBNAIL // 2), "cannot be decoded", fill=255)
        else:
            sheet.shown += 1
            sheet.near_empty += content(answer.pixels) < options.min_content
            picture.paste(Image.fromarray(answer.pixels), (left, top))
        draw.text((left + 4, top + THUMBNAIL + 2), identity.of(one.image_id)[-40:], fill=255)
    if sheet.shown:
        picture.save(path)
    return sheet


def _contents(dataset: Dataset, options: DatasetOptions, slices: Sequence[Slice], count: int) -> list[str]:
    """Numbers of patients, series and slices."""
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
    lines += [f"  {identity.of(path)}: {found.unreadable[path]}" for path in sorted(found.unreadable)[:UNREADABLE_LISTED]]
    if len(found.unreadable) > UNREADABLE_LISTED:
        lines.append(f"  and {len(found.unreadable) - UNREADABLE_LISTED} more unreadable files; `fplbench sample` lists them all")
    return lines


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
        lines = [f"Contact sheet: {path}. Images shown: {seen.shown}, of which near-empty: {seen.near_empty}"]
    else:
        lines = ["Contact sheet: not written, since no image could be read"]
    if seen.faults:
        lines.append(f"Cannot be decoded: {len(seen.faults)} of the {files(len(seen.tried))} read for the contact sheet")
    return lines + [f"  {identity.of(source)}: {seen.faults[source]}" for source in sorted(seen.faults)]


def _verdict(
    name: str, options: DatasetOptions, sampling: SamplingOptions, seed: int, found: Scan, slices: Sequence[Slice], seen: Sheet
) -> str:
    """The sentence that starts with Yes. Raises InputError if the images cannot be drawn."""
    counts = sampling.counts()
    check_readable(len(found.unreadable), len(found.headers), options, name)
    splits = candidates(slices, sampling, seed, name)
    check_readable(len(seen.faults), len(seen.tried) - len(seen.faults), options, name)
    usable = len(slices) * (seen.shown - seen.near_empty) // max(seen.shown, 1)
    if usable < sum(counts.values()):
        raise InputError(
            f"{name}: {seen.near_empty} of the {seen.shown} images on the contact sheet are near-empty, so about {usable} of "
            f"{len(slices)} can be used, and sampling asks for {sum(counts.values())}; lower the numbers in sampling, or "
            f"datasets.{name}.min_content."
        )
    drawn = " + ".join(f"{count} {split}" for split, count in counts.items())
    answer = f"Yes: {drawn} images can be drawn with split {sampling.split}"
    if not DATASETS[name].persons_known(options):
        return f"{answer}; it is unknown how many of the test images share a person with the training images."
    shared = leak({split: splits[split].drawn for split in counts})
    return f"{answer}; {shared:.1%} of the test images share a patient with the training images."

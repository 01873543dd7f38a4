"""What a data folder holds, and whether the images asked for can be drawn from it."""

import logging
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fplbench.datasets.catalogue import DATASETS, DatasetOptions, Slice, check_root
from fplbench.datasets.identity import Identity
from fplbench.datasets.pixels import read_slices
from fplbench.datasets.scan import check_readable, scan
from fplbench.datasets.splits import SamplingOptions, candidates, leak
from fplbench.errors import InputError

log = logging.getLogger(__name__)

SHEET_IMAGES = 16
THUMBNAIL = 256  # pixels
CAPTION = 16  # pixels


def check_data(
    name: str,
    options: DatasetOptions,
    sampling: SamplingOptions,
    seed: int,
    threads: int,
    sheet: Path,
    cache: Path | None = None,
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
        The lines of the report, and whether the draw is possible.

    Raises:
        InputError: there is no data folder.
    """
    dataset = DATASETS[name]
    check_root(name, options.root)
    found = scan(dataset, options, threads, cache)
    slices, repeats = dataset.arrange(found.headers, options)
    lines = [f"{dataset.label} in {options.root}", ""]
    lines += _contents(slices, len(found.headers))
    lines += _left_out(found.skipped, found.unreadable, repeats, Identity(options.pseudonymise))
    lines += _irregular(slices, Identity(options.pseudonymise))
    shown, faults = contact_sheet(name, options, slices, threads, sheet)
    lines += [f"Contact sheet: {sheet}, {shown} images; {faults} of the files tried for it cannot be decoded."]
    verdict, possible = _verdict(name, options, sampling, seed, found, slices)
    return [*lines, "", verdict], possible


def _contents(slices: Sequence[Slice], files: int) -> list[str]:
    per_patient = Counter(one.patient for one in slices)
    series = {(one.patient, one.series) for one in slices}
    lines = [
        f"Patients: {len(per_patient)}",
        f"Series:   {len(series)}",
        f"Slices:   {len(slices)} in {files} files",
    ]
    if per_patient:
        counts = sorted(per_patient.values())
        lines.append(f"Slices of a patient: {counts[0]} to {counts[-1]}, median {counts[len(counts) // 2]}")
    return lines


def _left_out(skipped: dict[str, str], unreadable: dict[str, str], repeats: dict[str, str], identity: Identity) -> list[str]:
    """Files left out by reason with an example, the unreadable ones by name."""
    lines = [f"Left out: {len(skipped)} files by rule, {len(unreadable)} unreadable, {len(repeats)} repeated images"]
    for reason, count in sorted(Counter(skipped.values()).items()):
        example = min(path for path in skipped if skipped[path] == reason)
        lines.append(f"  {count} files: {reason}, such as {identity.of(example)}")
    lines += [f"  {identity.of(path)}: {reason}" for path, reason in sorted(unreadable.items())]
    lines += [f"  {identity.of(path)}: {repeats[path]}" for path in sorted(repeats)[:20]]
    if len(repeats) > 20:
        lines.append(f"  and {len(repeats) - 20} more repeated images")
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


def _verdict(name, options, sampling, seed, found, slices) -> tuple[str, bool]:
    wanted = " + ".join(f"{count} {part}" for part, count in sampling.counts().items())
    try:
        check_readable(len(found.unreadable), len(found.headers), options, name)
        parts = candidates(slices, sampling, seed, name)
    except InputError as error:
        return f"No: {error}", False
    drawn = {part: parts[part][:count] for part, count in sampling.counts().items()}
    return (
        f"Yes: {wanted} images can be drawn with split {sampling.split}; "
        f"{leak(drawn):.1%} of the test images share a patient with the training images."
    ), True


def contact_sheet(name: str, options: DatasetOptions, slices: Sequence[Slice], threads: int, path: Path) -> tuple[int, int]:
    """Write 16 slices, spread evenly over the data set, as a .png with their names.

    Returns:
        How many images it shows, and how many files could not be decoded.
    """
    from PIL import Image, ImageDraw

    step = max(len(slices) / SHEET_IMAGES, 1)
    chosen = {number: slices[int((number + 0.5) * step)] for number in range(min(SHEET_IMAGES, len(slices)))}
    sheet = Image.new("L", (4 * THUMBNAIL, 4 * (THUMBNAIL + CAPTION)))
    draw = ImageDraw.Draw(sheet)
    identity = Identity(options.pseudonymise)
    faults, shown = set(), 0
    for number, answer in read_slices(DATASETS[name], options, THUMBNAIL, chosen, threads):
        left, top = number % 4 * THUMBNAIL, number // 4 * (THUMBNAIL + CAPTION)
        if isinstance(answer, str):
            faults.add(chosen[number].source)
            draw.text((left + 4, top + THUMBNAIL // 2), "cannot be decoded", fill=255)
        else:
            shown += 1
            sheet.paste(Image.fromarray(answer.pixels), (left, top))
        draw.text((left + 4, top + THUMBNAIL + 2), identity.of(chosen[number].image_id)[-40:], fill=255)
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path)
    return shown, len(faults)

"""The header scan: headers of all files, without their pixels, kept in a cache."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from fplbench.datasets.cache import Known, Stamp, check_cache, read_cache, stamp_of, write_cache
from fplbench.datasets.files import LINK_OUT, walk
from fplbench.datasets.identity import Identity
from fplbench.datasets.reader import Failure
from fplbench.datasets.reading.pair_places import no_sides
from fplbench.datasets.registry import LOADERS, NO_PATIENT, Dataset, DatasetOptions, Header, NotAnImage, Unreadable
from fplbench.datasets.roots import how_to_get
from fplbench.datasets.workers import run_guarded
from fplbench.errors import InputError

log = logging.getLogger(__name__)

MAX_FIELD = 65_536  # characters; the header of a multi-frame file describes each of its frames
SAVE_SECONDS = 60  # how often the cache is saved, in case the scan is interrupted
REASONS = 3  # quoted when a folder contains no image


@dataclass
class Scan:
    """What a folder contains.

    Attributes:
        headers: headers of the images, by path relative to the root.
        skipped: why a file is left out, by path, where its content or kind decides.
        unreadable: why a file cannot be read, by path.
        others: numbers of files whose names show that they are not images, by reason.
        given_up: paths of files that took too long to read.
        stamps: stamps of the files that the cache keeps, by path.
        reused: number of files that the cache already knew.
    """

    headers: dict[str, Header] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    others: Counter[str] = field(default_factory=Counter)
    given_up: set[str] = field(default_factory=set)
    stamps: dict[str, Stamp] = field(default_factory=dict)
    reused: int = 0

    @property
    def files_left_out(self) -> int:
        """Number of files left out on purpose, by name or by content."""
        return len(self.skipped) + self.others.total()

    @property
    def reasons(self) -> Counter[str]:
        """Numbers of files left out on purpose, by reason."""
        return Counter(self.skipped.values()) + self.others

    def outcomes(self) -> Iterator[tuple[str, Stamp, str, str, Header]]:
        """Path, stamp, state, reason and header of each file that the cache keeps."""
        yield from ((path, self.stamps[path], "image", "", header) for path, header in self.headers.items())
        for path, reason in self.skipped.items():
            if path in self.stamps:  # files refused before they were opened have no stamp
                yield path, self.stamps[path], "skipped", reason, {}


def scan(dataset: Dataset, options: DatasetOptions, threads: int, cache: Path | None = None) -> Scan:
    """Read the headers of all files below the root.

    Files whose size and modification time match the cache are not opened again.

    Args:
        dataset: the data set.
        options: its options, with the root.
        threads: number of reading processes.
        cache: .csv file with the results of an earlier scan; it is read, and written again. With pseudonyms it is deleted,
            as it contains names.

    Returns:
        What the folder contains.

    Raises:
        InputError: no file can be used, or the path of the cache holds a different file.
    """
    if cache:
        check_cache(cache)
    if cache and options.pseudonymise:
        cache.unlink(missing_ok=True)
        cache = None
    known = read_cache(cache, dataset, options) if cache else {}
    result = Scan()
    fresh = _sort(dataset, options, known, result)

    def save() -> None:
        if cache and (fresh or known):
            write_cache(cache, dataset, options, result.outcomes())

    try:
        _read_fresh(fresh, dataset, options, threads, result, save)
    finally:
        save()
    if not result.headers and not result.unreadable:
        raise _no_images(dataset, options, result)
    return result


def check_headers(found: Scan, options: DatasetOptions, name: str) -> None:
    """Raise InputError if the share of files whose headers cannot be read exceeds the limit."""
    anonymised = NO_PATIENT in found.unreadable.values()
    check_readable(len(found.unreadable), len(found.headers), options, name, ", or read them with loader: ct" * anonymised)


def check_readable(unreadable: int, readable: int, options: DatasetOptions, name: str, advice: str = "") -> None:
    """Raise InputError if the share of unreadable files exceeds the limit; `advice` ends the message."""
    total = unreadable + readable
    if total and unreadable / total > options.max_unreadable:
        raise InputError(
            f"{name}: {unreadable} of {total} files cannot be read ({unreadable / total:.1%}; the limit, "
            f"datasets.{name}.max_unreadable, is {options.max_unreadable:.1%}). They are listed above. Download them again, "
            f"raise the limit, or check that {options.root} is the right folder{advice}."
        )


def read_one(task: tuple[str, str, DatasetOptions]) -> tuple[str, Header | str]:
    """Read one header, in a worker process.

    Returns:
        `image` and the header, or `skipped` and the reason.
    """
    name, path, options = task
    try:
        header = LOADERS[name].read_header(Path(path), options)
    except NotAnImage as reason:
        return "skipped", str(reason)
    for field_name, value in header.items():
        if isinstance(value, str) and (len(value) > MAX_FIELD or not value.isprintable()):
            raise Unreadable(f"its {field_name} is longer than {MAX_FIELD} characters or not printable")
    return "image", header


def report(result: Scan, options: DatasetOptions) -> None:
    """Log the name of every file that is left out or unreadable, and the number of files for each reason."""
    identity = Identity(options.pseudonymise)
    for path in sorted(result.skipped):
        log.info("Left out: %s: %s.", identity.of(path), result.skipped[path])
    for path in sorted(result.unreadable):
        log.warning("Unreadable: %s: %s.", identity.of(path), result.unreadable[path])
    for reason, count in sorted(result.reasons.items()):
        log.info("Left out: %s: %s.", files(count), reason)
    left_out = files(result.files_left_out)
    log.info("Headers: %d images, %s left out, %d unreadable.", len(result.headers), left_out, len(result.unreadable))
    log.info("Taken from the cache: %s.", files(result.reused))


def files(count: int) -> str:
    """A number of files, as text."""
    return "1 file" if count == 1 else f"{count} files"


def _sort(dataset: Dataset, options: DatasetOptions, known: dict[str, Known], result: Scan) -> list[str]:
    """Record every file that need not be opened; returns the paths of the others."""
    root, fresh = options.root.resolve(), []
    for found in walk(options.root):
        if found.fault:
            result.unreadable[found.path] = found.fault
        elif found.refused:
            result.skipped[found.path] = found.refused
        elif kind := dataset.left_out(found.path, root):
            result.others[kind] += 1
        else:
            stamp = result.stamps[found.path] = stamp_of(found, dataset, options)
            row = known.pop(found.path, None)
            if row is None or row.stamp != stamp:
                fresh.append(found.path)
                continue
            result.reused += 1
            if row.state == "image":
                result.headers[found.path] = row.header
            else:
                result.skipped[found.path] = row.reason
    return fresh


def _read_fresh(
    fresh: list[str], dataset: Dataset, options: DatasetOptions, threads: int, result: Scan, save: Callable[[], None]
) -> None:
    """Open the files that the cache does not know, and record what they are."""
    from tqdm import tqdm

    tasks = ((dataset.loader or dataset.name, str(options.root / path), options) for path in fresh)
    answers = run_guarded(read_one, tasks, min(threads, len(fresh)), options.seconds_per_file, dataset.libraries, batch=32)
    saved = time.monotonic()
    for number, answer in tqdm(answers, "headers", len(fresh), unit="file", disable=None):
        path = fresh[number]
        if isinstance(answer, Failure):
            result.unreadable[path] = answer.words(options.root, path, options.pseudonymise)
            if answer.cause == "time":
                result.given_up.add(path)
        elif answer[0] == "skipped":
            result.skipped[path] = answer[1]
        else:
            # Converting the fields again makes equal names share one object: there can be 244,000 headers.
            result.headers[path] = {name: read(answer[1][name]) for name, read in dataset.header_fields.items()}
        if time.monotonic() > saved + SAVE_SECONDS:
            save()
            saved = time.monotonic()


def _no_images(dataset: Dataset, options: DatasetOptions, result: Scan) -> InputError:
    """The error for a folder without a usable image: what was left out, and what to do."""
    if dataset.paired and (sides := no_sides(options, result.skipped, dataset.name, options.pseudonymise)):
        return InputError(f"The folder {options.root} contains no pair: {sides}")
    links = [path for path, reason in sorted(result.skipped.items()) if reason == LINK_OUT]
    link = f"use the target of {Identity(options.pseudonymise).of(links[0])} as the root, or " if links else ""
    reasons = "; ".join(f"{files(count)}: {reason}" for reason, count in result.reasons.most_common(REASONS))
    left_out = f" ({reasons})" if reasons else ""
    return InputError(
        f"The folder {options.root} contains no usable image of {dataset.label}{left_out}: "
        f"{link}{how_to_get(dataset, options.root)}"
    )

"""The first pass: headers of all files, without pixels, kept in a cache."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from fplbench.datasets.cache import Known, check_cache, read_cache, stamp_of, write_cache
from fplbench.datasets.files import LINK_OUT, walk
from fplbench.datasets.identity import Identity
from fplbench.datasets.reader import Failure
from fplbench.datasets.registry import DATASETS, Dataset, DatasetOptions, Header, NotAnImage, Unreadable, how_to_get
from fplbench.datasets.workers import run_guarded
from fplbench.errors import InputError

log = logging.getLogger(__name__)

MAX_FIELD = 4096
SAVE_SECONDS = 60  # between two states of the cache, for scans that are interrupted


@dataclass
class Scan:
    """What a folder holds: headers of the images, and why the other files are left out, by relative path.

    `others` counts files by kind that cannot be images by their names; `given_up` names those that took too long.
    """

    headers: dict[str, Header] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    others: Counter = field(default_factory=Counter)
    given_up: set[str] = field(default_factory=set)
    stamps: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    reused: int = 0

    @property
    def files_left_out(self) -> int:
        """Files left out by rule, whether by name or by content."""
        return len(self.skipped) + self.others.total()

    def outcomes(self) -> Iterator[tuple[str, tuple[str, str, str], str, str, Header]]:
        """Path, stamp, state, reason and header of what the cache keeps."""
        yield from ((path, self.stamps[path], "image", "", header) for path, header in self.headers.items())
        for path, reason in self.skipped.items():
            if path in self.stamps:  # not so what was refused before it was opened
                yield path, self.stamps[path], "skipped", reason, {}


def scan(dataset: Dataset, options: DatasetOptions, threads: int, cache: Path | None = None) -> Scan:
    """Read the headers of all files below the root.

    Files whose size and time of change are those in the cache are not opened again.

    Args:
        dataset: the data set.
        options: its options; `root` says where.
        threads: processes that read.
        cache: .csv file to read what is known from, and to write it to; removed where pseudonyms are asked for, as
            it holds names.

    Raises:
        InputError: there is no file that could be an image, or another file in the place of the cache.
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


def check_readable(unreadable: int, readable: int, options: DatasetOptions, name: str) -> None:
    """Raise InputError when the share of unreadable files exceeds the limit."""
    total = unreadable + readable
    if total and unreadable / total > options.max_unreadable:
        raise InputError(
            f"{name}: {unreadable} of {total} files cannot be read ({unreadable / total:.1%}; the limit, "
            f"datasets.{name}.max_unreadable, is {options.max_unreadable:.1%}). They are named above; get them again, "
            f"raise the limit, or look whether {options.root} is the right folder."
        )


def read_one(task: tuple[str, str, DatasetOptions]) -> tuple[str, Header | str]:
    """Read one header, in a worker process; a file left out by rule is an answer, not an error."""
    name, path, options = task
    try:
        header = DATASETS[name].read_header(Path(path), options)
    except NotAnImage as reason:
        return "skipped", str(reason)
    for field_name, value in header.items():
        if isinstance(value, str) and (len(value) > MAX_FIELD or not value.isprintable()):
            raise Unreadable(f"its {field_name} is longer than {MAX_FIELD} characters, or unprintable")
    return "image", header


def report(result: Scan, options: DatasetOptions) -> None:
    """Log every file that is left out or unreadable by name, and count them by reason."""
    identity = Identity(options.pseudonymise)
    for path in sorted(result.skipped):
        log.info("Left out: %s: %s.", identity.of(path), result.skipped[path])
    for path in sorted(result.unreadable):
        log.warning("Unreadable: %s: %s.", identity.of(path), result.unreadable[path])
    for reason, count in sorted((Counter(result.skipped.values()) + result.others).items()):
        log.info("Left out: %s: %s.", files(count), reason)
    log.info("Headers: %d images; %s left out, %d unreadable; %d of all were known from an earlier scan.",
             len(result.headers), files(result.files_left_out), len(result.unreadable), result.reused)  # fmt: skip


def files(count: int) -> str:
    """A number of files, in words."""
    return "1 file" if count == 1 else f"{count} files"


def _sort(dataset: Dataset, options: DatasetOptions, known: dict[str, Known], result: Scan) -> list[str]:
    """Note what is known of each file below the root or needs no look; returns the paths of the others."""
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
    from tqdm import tqdm

    tasks = ((dataset.name, str(options.root / path), options) for path in fresh)
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
            # Reading the fields once more makes equal names one object: there are 244,000 headers.
            result.headers[path] = {name: read(answer[1][name]) for name, read in dataset.header_fields.items()}
        if time.monotonic() > saved + SAVE_SECONDS:
            save()
            saved = time.monotonic()


def _no_images(dataset: Dataset, options: DatasetOptions, result: Scan) -> InputError:
    links = [path for path, reason in sorted(result.skipped.items()) if reason == LINK_OUT]
    link = f"{Identity(options.pseudonymise).of(links[0])} is {LINK_OUT}; name its target as root. Or " if links else ""
    return InputError(
        f"The folder {options.root} holds no image of {dataset.label}: {link}{how_to_get(dataset.name, options.root)}"
    )

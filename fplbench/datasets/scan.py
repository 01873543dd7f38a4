"""The first pass: headers of all files, without pixels, kept in a cache."""

import csv
import hashlib
import json
import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from fplbench.datasets.catalogue import DATASETS, Dataset, DatasetOptions, Header, NotAnImage
from fplbench.datasets.files import Found, walk
from fplbench.datasets.identity import Identity
from fplbench.datasets.workers import Failure, run_guarded
from fplbench.errors import InputError
from fplbench.stacks import replacing

log = logging.getLogger(__name__)

CACHE_VERSION = 1
MAX_FIELD = 4096
CACHE_COLUMNS = ("key", "file", "size", "changed", "state", "reason")


@dataclass
class Scan:
    """What a folder holds: headers of the images, and why the other files are left out, by relative path."""

    headers: dict[str, Header] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    reused: int = 0

    def record(self, path: str, state: str, reason: str, header: Header) -> None:
        """Note the outcome for one file."""
        if state == "image":
            self.headers[path] = header
        elif state == "skipped":
            self.skipped[path] = reason
        else:
            self.unreadable[path] = reason


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
        InputError: there is no file that could be an image.
    """
    identity = Identity(options.pseudonymise)
    result = Scan()
    if cache and options.pseudonymise:
        cache.unlink(missing_ok=True)
        cache = None
    known = _read_cache(cache, dataset, options) if cache else {}
    fresh: list[Found] = []
    files: dict[str, Found] = {}
    for found in walk(options.root):
        if not dataset.wanted(found.path):
            continue
        files[found.path] = found
        row = known.pop(found.path, None)
        if found.refused:
            result.skipped[found.path] = found.refused
        elif row and (row["size"], row["changed"]) == (str(found.size), str(found.changed)):
            result.record(found.path, row["state"], row["reason"], {name: row[name] for name in dataset.header_fields})
            result.reused += 1
        else:
            fresh.append(found)
    _read_fresh(fresh, dataset, options, threads, result)
    if cache and (fresh or known):
        _write_cache(cache, dataset, options, files, result)
    _report(result, identity)
    if not result.headers and not result.unreadable:
        raise InputError(
            f"The folder {options.root} holds no image of {dataset.label}: set datasets.{dataset.name}.root to the "
            f"folder with {dataset.contents}."
        )
    return result


def check_readable(unreadable: int, readable: int, options: DatasetOptions, name: str) -> None:
    """Raise InputError when the share of unreadable files exceeds the limit."""
    total = unreadable + readable
    if total and unreadable / total > options.max_unreadable:
        raise InputError(
            f"{name}: {unreadable} of {total} files cannot be read ({unreadable / total:.1%}; the limit, "
            f"datasets.{name}.max_unreadable, is {options.max_unreadable:.1%}). They are named above; get them again "
            f"or raise the limit."
        )


def read_one(task: tuple[str, str, DatasetOptions]) -> tuple[str, Header | str]:
    """Read one header, in a worker process; a file left out by rule is an answer, not an error."""
    name, path, options = task
    try:
        header = DATASETS[name].read_header(Path(path), options)
    except NotAnImage as reason:
        return "skipped", str(reason)
    for field_name, value in header.items():
        if len(value) > MAX_FIELD or not value.isprintable():
            raise ValueError(f"its {field_name} is longer than {MAX_FIELD} characters, or unprintable")
    return "image", header


def _read_fresh(fresh: list[Found], dataset: Dataset, options: DatasetOptions, threads: int, result: Scan) -> None:
    from tqdm import tqdm

    tasks = ((dataset.name, str(options.root / found.path), options) for found in fresh)
    answers = run_guarded(read_one, tasks, min(threads, len(fresh)), options.seconds_per_file, dataset.libraries, batch=32)
    for number, answer in tqdm(answers, "headers", len(fresh), unit="file", disable=None):
        if isinstance(answer, Failure):
            result.unreadable[fresh[number].path] = answer.reason
        elif answer[0] == "skipped":
            result.skipped[fresh[number].path] = answer[1]
        else:
            result.headers[fresh[number].path] = answer[1]


def _report(result: Scan, identity: Identity) -> None:
    """Name every file that is left out or unreadable, and count them by reason."""
    for path in sorted(result.skipped):
        log.info("Left out: %s: %s.", identity.of(path), result.skipped[path])
    for path in sorted(result.unreadable):
        log.warning("Unreadable: %s: %s.", identity.of(path), result.unreadable[path])
    for reason, count in sorted(Counter(result.skipped.values()).items()):
        log.info("Left out: %d files: %s.", count, reason)
    log.info("Headers: %d images, of which %d are known from the last scan; %d files left out and %d unreadable.",
             len(result.headers), result.reused, len(result.skipped), len(result.unreadable))  # fmt: skip


def _cache_key(dataset: Dataset, options: DatasetOptions) -> str:
    depends = [CACHE_VERSION, dataset.name, dataset.header_fields]
    depends += [getattr(options, name) for name in dataset.header_options]
    return hashlib.sha256(json.dumps(depends, default=str).encode()).hexdigest()[:8]


def _read_cache(cache: Path, dataset: Dataset, options: DatasetOptions) -> dict[str, dict[str, str]]:
    """Rows of the cache by path; a cache of another version or with a torn line counts as none."""
    key = _cache_key(dataset, options)
    try:
        with open(cache, newline="") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, csv.Error, UnicodeDecodeError):
        return {}
    columns = {*CACHE_COLUMNS, *dataset.header_fields}
    return {row["file"]: row for row in rows if columns <= row.keys() and None not in row.values() and row["key"] == key}


def _write_cache(cache: Path, dataset: Dataset, options: DatasetOptions, files: dict[str, Found], result: Scan) -> None:
    key = _cache_key(dataset, options)
    cache.parent.mkdir(parents=True, exist_ok=True)
    with replacing(cache) as temporary, open(temporary, "w", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow((*CACHE_COLUMNS, *dataset.header_fields))
        for path, state, reason, header in _outcomes(result):
            found = files[path]
            if not found.refused:
                values = [header.get(name, "") for name in dataset.header_fields]
                writer.writerow((key, path, found.size, found.changed, state, reason, *values))


def _outcomes(result: Scan) -> Iterable[tuple[str, str, str, Header]]:
    yield from ((path, "image", "", header) for path, header in result.headers.items())
    yield from ((path, "skipped", reason, {}) for path, reason in result.skipped.items())
    yield from ((path, "unreadable", reason, {}) for path, reason in result.unreadable.items())

"""The cache of the header scan: what is known about each file, with its size and modification time."""

import csv
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from fplbench.datasets.files import Found
from fplbench.datasets.registry import Dataset, DatasetOptions, Header
from fplbench.errors import InputError
from fplbench.files import replacing

Stamp = tuple[str, str, str]  # size and modification time of a file, and both of its companion

VERSION = 3
COLUMNS = ("key", "file", "size", "changed", "beside", "state", "reason")
STATES = ("image", "skipped")  # unreadable files are not cached: they may have been repaired


@dataclass(frozen=True, slots=True)
class Known:
    """What the cache knows about a file: `state` is image or skipped; the file has changed if `stamp` differs."""

    stamp: Stamp
    state: str
    reason: str
    header: Header


def stamp_of(found: Found, dataset: Dataset, options: DatasetOptions) -> Stamp:
    """Size and modification time of a file, and those of the other file that its header depends on."""
    beside = ""
    companion = dataset.companion(options.root / found.path, options)
    if companion is not None:
        status = companion.stat()
        beside = f"{status.st_size} {status.st_mtime_ns}"
    return str(found.size), str(found.modified), beside


def read_cache(path: Path, dataset: Dataset, options: DatasetOptions) -> dict[str, Known]:
    """Read what is known about each file, by its path relative to the root.

    A cache of another version or other options, or one that is not a .csv file, is ignored. A row with an impossible value
    is skipped.
    """
    key = _key(dataset, options)
    columns = [*COLUMNS, *dataset.header_fields]
    known: dict[str, Known] = {}
    try:
        with open(path, newline="", encoding="utf-8") as stream:
            rows = csv.reader(stream)
            if next(rows, None) != columns:
                return {}
            for row in rows:
                if len(row) == len(columns) and row[0] == key and row[5] in STATES:
                    header = _header(row[len(COLUMNS) :], dataset) if row[5] == "image" else {}
                    if header is not None:
                        known[row[1]] = Known((row[2], row[3], row[4]), row[5], row[6], header)
    except (OSError, csv.Error, UnicodeDecodeError):
        return {}
    return known


def check_cache(path: Path) -> None:
    """Raise InputError if the path holds a file that is not a cache, which would be overwritten."""
    try:
        with open(path, "rb") as stream:
            ours = stream.read(len(COLUMNS[0]) + 1) in (b"", f"{COLUMNS[0]},".encode())
    except FileNotFoundError:
        return
    except OSError:
        ours = False
    if not ours:
        raise InputError(f"{path} is not a header cache and would be overwritten; choose another name for the cache.")


def write_cache(
    path: Path, dataset: Dataset, options: DatasetOptions, outcomes: Iterable[tuple[str, Stamp, str, str, Header]]
) -> None:
    """Write path, stamp, state, reason and header of each file; the cache is replaced only when it is complete."""
    key = _key(dataset, options)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow((*COLUMNS, *dataset.header_fields))
        for file, stamp, state, reason, header in outcomes:
            writer.writerow((key, file, *stamp, state, reason, *(header.get(name) for name in dataset.header_fields)))


def _header(values: list[str], dataset: Dataset) -> Header | None:
    """Convert the text of a row to a header; None if it is damaged."""
    try:
        pairs = zip(dataset.header_fields.items(), values, strict=True)
        return {name: read(value) for (name, read), value in pairs}
    except (TypeError, ValueError):
        return None


def _key(dataset: Dataset, options: DatasetOptions) -> str:
    """Hash of everything that headers depend on besides the files."""
    depends = [VERSION, dataset.loader or dataset.name, *dataset.header_fields]
    depends += [getattr(options, name) for name in dataset.header_options]
    return hashlib.sha256(json.dumps(depends, default=str).encode()).hexdigest()[:8]

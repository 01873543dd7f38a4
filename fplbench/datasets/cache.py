"""The cache of the header scan: what is known of each file, with its size and time of change."""

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

VERSION = 2
COLUMNS = ("key", "file", "size", "changed", "beside", "state", "reason")
STATES = ("image", "skipped")  # unreadable files are read again: they may have been mended


@dataclass(frozen=True, slots=True)
class Known:
    """The outcome for a file: `state` is image or skipped, `stamp` tells whether the file is still the same."""

    stamp: tuple[str, str, str]
    state: str
    reason: str
    header: Header


def stamp_of(found: Found, dataset: Dataset, options: DatasetOptions) -> tuple[str, str, str]:
    """Size and time of change of a file, and both of the file that its header depends on."""
    beside = ""
    companion = dataset.companion(options.root / found.path, options)
    if companion is not None:
        status = companion.stat()
        beside = f"{status.st_size} {status.st_mtime_ns}"
    return str(found.size), str(found.changed), beside


def read_cache(path: Path, dataset: Dataset, options: DatasetOptions) -> dict[str, Known]:
    """What is known of each file.

    A cache of another version, of other options, or that is no .csv file counts as none; a row with an impossible value
    counts as an unknown file.
    """
    key = _key(dataset, options)
    columns = [*COLUMNS, *dataset.header_fields]
    known = {}
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
    """Raise InputError where there is a file that no version of this cache has written: it is not ours to replace."""
    try:
        with open(path, "rb") as stream:
            ours = stream.read(len(COLUMNS[0]) + 1) in (b"", f"{COLUMNS[0]},".encode())
    except FileNotFoundError:
        return
    except OSError:
        ours = False
    if not ours:
        raise InputError(f"{path} is no cache of headers and would be overwritten; give the cache another name.")


def write_cache(
    path: Path, dataset: Dataset, options: DatasetOptions, outcomes: Iterable[tuple[str, tuple[str, str, str], str, str, Header]]
) -> None:
    """Write path, stamp, state, reason and header of each file, in one piece."""
    key = _key(dataset, options)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow((*COLUMNS, *dataset.header_fields))
        for file, stamp, state, reason, header in outcomes:
            writer.writerow((key, file, *stamp, state, reason, *(header.get(name) for name in dataset.header_fields)))


def _header(values: list[str], dataset: Dataset) -> Header | None:
    try:
        pairs = zip(dataset.header_fields.items(), values, strict=True)
        return {name: read(value) for (name, read), value in pairs}
    except (TypeError, ValueError):
        return None


def _key(dataset: Dataset, options: DatasetOptions) -> str:
    depends = [VERSION, dataset.name, *dataset.header_fields]
    depends += [getattr(options, name) for name in dataset.header_options]
    return hashlib.sha256(json.dumps(depends, default=str).encode()).hexdigest()[:8]

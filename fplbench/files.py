"""Files that appear complete or not at all, and hashes of them."""

import csv
import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from fplbench.errors import InputError


@contextmanager
def replacing(path: str | os.PathLike) -> Iterator[Path]:
    """Context that yields a temporary path in the same folder, renamed to `path` on success, removed on failure.

    Missing folders are made.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        # Some libraries replace the file that mkstemp made by one of their own, so its mode is set last.
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: str | os.PathLike, text: str) -> None:
    """Write a text file, UTF-8, in one piece."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_csv(path: str | os.PathLike, rows: Iterable[Mapping], columns: Sequence[str] = ()) -> None:
    """Write mappings with equal keys as a .csv file with a header, in one piece.

    Args:
        path: the file.
        rows: one mapping a row.
        columns: the header; none: the keys of the first row.
    """
    rows = list(rows)
    with replacing(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, fieldnames=columns or list(rows[0] if rows else ()), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_csv(path: str | os.PathLike, columns: Sequence[str] = ()) -> list[dict[str, str]]:
    """Read a .csv file with a header: a dictionary of strings for each row.

    Raises:
        InputError: the file is missing or no table, one of `columns` is missing, or a row is longer or shorter than the
            header.
    """
    try:
        with open(path, newline="", encoding="utf-8") as stream:
            reader = csv.DictReader(stream)
            rows = list(reader)
    except FileNotFoundError:
        raise InputError(f"{path} does not exist.") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} is not a .csv table: {error}.") from None
    found = reader.fieldnames or []
    missing = [column for column in columns if column not in found]
    if missing:
        raise InputError(f"{path} has no column {missing[0]!r}.")
    for line, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise InputError(f"{path}, line {line}, does not have the {len(found)} values of the header.")
    return rows


def file_hash(path: str | os.PathLike) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask

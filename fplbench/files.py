"""Writing files in one piece, seals that show damage, reading and writing .csv tables, and hashes."""

import csv
import fcntl
import glob
import hashlib
import os
import re
import stat
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from fplbench.errors import InputError


@contextmanager
def replacing(path: str | os.PathLike[str], sealed: bool = False) -> Iterator[Path]:
    """Context that yields a temporary path in the same folder, renamed to `path` on success and removed on failure.

    Missing folders are created. The file gets the permissions of any new file, whichever library writes it.

    Args:
        path: the file to write.
        sealed: whether to write its SHA-256 beside it, as `.NAME.sha256`, for `check_seal`.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if sealed:  # such files are large, and few in a folder
        _remove_abandoned(path)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}{path.suffix}")
    descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
    mode = stat.S_IMODE(temporary.stat().st_mode)
    try:
        _lock(descriptor)
        yield temporary
        # Some libraries replace the file with a private one of their own, so its mode is set last.
        temporary.chmod(mode)
        seal = seal_path(path)
        seal.unlink(missing_ok=True)  # first: whatever is killed here leaves a file without a seal, never with a wrong one
        digest = file_hash(temporary) if sealed else ""
        temporary.replace(path)
        if digest:
            write_text(seal, f"{digest}\n")
    finally:
        os.close(descriptor)
        temporary.unlink(missing_ok=True)


def _lock(descriptor: int) -> bool:
    """Lock an open file until it is closed or the process dies; False where another process has it, or locks do not work."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _remove_abandoned(path: Path) -> None:
    """Remove what processes that were killed have left half written of a file; no one holds the lock of it any more."""
    for file in path.parent.glob(f".{glob.escape(path.name)}.*{glob.escape(path.suffix)}"):
        if not re.fullmatch("[0-9a-f]{32}", file.name.removesuffix(path.suffix).rpartition(".")[2]):
            continue
        with suppress(OSError):
            descriptor = os.open(file, os.O_RDWR | os.O_NOFOLLOW)
            try:
                if _lock(descriptor):
                    file.unlink(missing_ok=True)
            finally:
                os.close(descriptor)


def seal_path(path: str | os.PathLike[str]) -> Path:
    """Where the seal of a file is."""
    path = Path(path)
    return path.with_name(f".{path.name}.sha256")


_checked: set[tuple[int, ...]] = set()


def check_seal(path: str | os.PathLike[str]) -> None:
    """Check that a file is the one that was written; files without a seal come from elsewhere, and may be any.

    A process reads a file for it once, as long as the system says that it is the same.

    Raises:
        ValueError: it is not. The message names the seal alone.
        OSError: the file is missing or cannot be read.
    """
    seal = seal_path(path)
    try:
        expected = seal.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return
    at = Path(path).stat()
    state = (at.st_dev, at.st_ino, at.st_size, at.st_mtime_ns, at.st_ctime_ns)
    if state in _checked:
        return
    if file_hash(path) != expected:
        raise ValueError(
            "it has changed since it was written, as its SHA-256 differs. Delete it, so that the next run makes it again; if you "
            f"have replaced it yourself, delete {seal}"
        )
    _checked.add(state)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a text file in UTF-8, in one piece."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_csv(path: str | os.PathLike[str], rows: Iterable[Mapping[str, Any]], columns: Sequence[str] = ()) -> None:
    """Write mappings with the same keys as a .csv file with a header, in one piece.

    Args:
        path: the file to write.
        rows: one mapping for each row.
        columns: the header; the keys of the first row if empty.

    Raises:
        InputError: a text cannot be written in UTF-8, such as the name of a file that has bytes of another encoding.
    """
    rows = list(rows)
    for text in (value for row in rows for value in row.values() if isinstance(value, str)):
        if not _is_text(text):
            raise InputError(f"{text!r} cannot be written in UTF-8 to {path}: rename the file or folder that has this name.")
    with replacing(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as stream:
        names = columns or list(rows[0] if rows else ())
        writer = csv.DictWriter(stream, names, lineterminator="\n")
        quoting = csv.DictWriter(stream, names, lineterminator="\n", quoting=csv.QUOTE_ALL)
        writer.writeheader()
        for row in rows:  # Python 3.11 does not quote a carriage return, which is read as the end of a line
            (quoting if any(isinstance(value, str) and "\r" in value for value in row.values()) else writer).writerow(row)


def _is_text(text: str) -> bool:
    """Whether a text can be written in UTF-8. Bytes of other encodings in names of files come as lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def read_csv(path: str | os.PathLike[str], columns: Sequence[str] = ()) -> list[dict[str, str]]:
    """Read a .csv file with a header: a dictionary of strings for each row.

    Raises:
        InputError: the file is missing or not a table, it lacks one of `columns`, or a row is longer or shorter than the
            header.
    """
    rows = iterate_csv(path, columns)
    header = next(rows)
    return [dict(zip(header, row, strict=True)) for row in rows]


def iterate_csv(path: str | os.PathLike[str], columns: Sequence[str] = ()) -> Iterator[list[str]]:
    """The header of a .csv file, then its rows, read one by one, for files that are larger than memory.

    Raises:
        InputError: as for `read_csv`.
    """
    try:
        with open(path, newline="", encoding="utf-8") as stream:
            rows = filter(None, csv.reader(stream))  # without empty lines
            header = next(rows, [])
            missing = [column for column in columns if column not in header]
            if missing:
                raise InputError(f"{path} has no column {missing[0]!r}.")
            yield header
            for line, row in enumerate(rows, start=2):
                if len(row) != len(header):
                    raise InputError(
                        f"{path}, line {line}: the number of values differs from the {len(header)} columns of the header."
                    )
                yield row
    except FileNotFoundError:
        raise InputError(f"{path} does not exist.") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} is not a .csv table: {error}.") from None


def file_hash(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def nearest_existing(path: str | os.PathLike[str]) -> Path:
    """The path as an absolute one, or its nearest parent that exists."""
    path = Path(path).absolute()
    return next(folder for folder in (path, *path.parents) if folder.exists())

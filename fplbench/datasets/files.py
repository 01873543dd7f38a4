"""Finding the files of a data set, and checking where results can be written."""

import os
import re
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fplbench.errors import InputError

LINK_OUT = "a link that leads out of the folder"
IMAGE = re.compile(r"\.(?:dcm|dicom|ima|nii|nii\.gz|png|jpe?g)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Found:
    """A file below the root: relative path, size in bytes, and modification time in ns.

    `refused` says why the file must not be read, `fault` why it cannot be read. A folder that cannot be opened is
    reported as a fault too.
    """

    path: str
    size: int = 0
    modified: int = 0
    refused: str = ""
    fault: str = ""


def walk(root: Path) -> Iterator[Found]:
    """Yield every file below the root, sorted by name within each folder.

    Links are followed only inside the root. A link that leads out of it, and anything that is not a regular file, is
    yielded as refused. Links to folders inside the root are skipped, as those folders are visited anyway.
    """
    inside = root.resolve()
    closed: list[OSError] = []
    for folder, folders, names in os.walk(root, onerror=closed.append):
        folders.sort()
        for name in sorted(names + [name for name in folders if Path(folder, name).is_symlink()]):
            path = Path(folder, name)
            found = _describe(path, path.relative_to(root).as_posix(), inside)
            if found:
                yield found
    for error in closed:
        name = Path(error.filename).relative_to(root).as_posix()
        yield Found(_printable(name), fault=f"the folder cannot be opened: {error.strerror}")


def without_suffix(path: str) -> str:
    """A path without the suffix of an image. Other dots, as in unique identifiers and `scan.v1`, are part of the name."""
    return IMAGE.sub("", path)


def leads_out(path: Path, root: Path) -> bool:
    """Whether a file below the root is in truth elsewhere, behind a link."""
    return not path.resolve().is_relative_to(root.resolve())


def check_folder(folder: str | os.PathLike) -> None:
    """Create a folder if needed. InputError unless files can be written to it."""
    if Path(folder).is_file():
        raise InputError(f"Cannot write to {folder}: it is a file. Choose a folder.")
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=Path(folder)):
            return
    except OSError as error:
        raise InputError(f"Cannot write to {folder}: {error.strerror}. Choose another folder.") from None


def check_file(path: Path, suffix: str, option: str) -> None:
    """InputError unless a file of this name can be written and has the suffix; `option` is named in the message."""
    if path.suffix.lower() != suffix:
        raise InputError(f"{option} is {path}: the name must end in {suffix}.")
    if path.is_dir():
        raise InputError(f"{option} is {path}, which is a folder: choose a file name.")
    check_folder(path.parent)


def _describe(path: Path, relative: str, inside: Path) -> Found | None:
    """What is at a path; None for a link to a folder that is visited anyway."""
    if not relative.isprintable():
        return Found(_printable(relative), refused="unprintable characters in the file name")
    try:
        if path.is_symlink():
            target = path.resolve(strict=True)
            if not target.is_relative_to(inside):
                return Found(relative, refused=LINK_OUT)
            if target.is_dir():
                return None
        status = path.stat()
    except (OSError, RuntimeError) as error:  # RuntimeError: circular links
        if path.is_symlink():
            return Found(relative, refused="a broken link")
        return Found(relative, fault=f"it cannot be opened: {getattr(error, 'strerror', error)}")
    if not stat.S_ISREG(status.st_mode):
        return Found(relative, refused="not a regular file")
    return Found(relative, status.st_size, status.st_mtime_ns)


def _printable(name: str) -> str:
    return name if name.isprintable() else ascii(name)[1:-1]

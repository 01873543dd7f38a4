"""Walking a data set's folder without leaving it."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LINK_OUT = "a link that leads out of the folder"


@dataclass(frozen=True, slots=True)
class Found:
    """A file below the root: its relative path, size in bytes and time of change.

    `refused` says why it is not to be read, `fault` why it cannot be; a folder that cannot be opened is a fault too.
    """

    path: str
    size: int = 0
    changed: int = 0
    refused: str = ""
    fault: str = ""


def walk(root: Path) -> Iterator[Found]:
    """Yield every file below the root, in the order of names.

    Links are followed inside the root only: one that leads out, and whatever is no regular file, is yielded as refused.
    A link to a folder inside the root is not followed, as that folder is walked itself.
    """
    inside = root.resolve()
    closed: list[OSError] = []
    for folder, folders, files in os.walk(root, onerror=closed.append):
        folders.sort()
        for name in sorted(files + [name for name in folders if Path(folder, name).is_symlink()]):
            path = Path(folder, name)
            found = _describe(path, path.relative_to(root).as_posix(), inside)
            if found:
                yield found
    for error in closed:
        name = Path(error.filename).relative_to(root).as_posix()
        yield Found(_printable(name), fault=f"a folder that cannot be opened: {error.strerror}")


def _describe(path: Path, relative: str, inside: Path) -> Found | None:
    """What is at a path; None for a link to a folder that is walked itself."""
    if not relative.isprintable():
        return Found(_printable(relative), refused="unprintable characters in its name")
    try:
        if path.is_symlink():
            target = path.resolve(strict=True)
            if not target.is_relative_to(inside):
                return Found(relative, refused=LINK_OUT)
            if target.is_dir():
                return None
        status = path.stat()
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle
        if path.is_symlink():
            return Found(relative, refused="a link to nothing")
        return Found(relative, fault=f"it cannot be opened: {error.strerror}")
    if not stat.S_ISREG(status.st_mode):
        return Found(relative, refused="no regular file")
    return Found(relative, status.st_size, status.st_mtime_ns)


def _printable(name: str) -> str:
    return name if name.isprintable() else ascii(name)[1:-1]

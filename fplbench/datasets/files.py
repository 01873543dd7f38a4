"""Walking a data set's folder without leaving it."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Found:
    """A file below the root: its relative path, size in bytes and time of change, or why it is not to be read."""

    path: str
    size: int = 0
    changed: int = 0
    refused: str = ""


def walk(root: Path) -> Iterator[Found]:
    """Yield every file below the root, in the order of names.

    Links are followed inside the root only: one that leads out, and whatever is no regular file, is yielded as refused.
    A link to a folder inside the root is not followed, as that folder is walked itself.
    """
    inside = root.resolve()
    for folder, folders, files in os.walk(root):
        folders.sort()
        for name in sorted(files + [name for name in folders if Path(folder, name).is_symlink()]):
            path = Path(folder, name)
            relative = path.relative_to(root).as_posix()
            if not relative.isprintable():
                yield Found(ascii(relative)[1:-1], refused="unprintable characters in its name")
                continue
            if path.is_symlink():
                try:
                    target = path.resolve(strict=True)
                except (OSError, RuntimeError):
                    yield Found(relative, refused="a link to nothing")
                    continue
                if not target.is_relative_to(inside):
                    yield Found(relative, refused="a link that leads out of the folder")
                    continue
                if target.is_dir():
                    continue
            yield _describe(path, relative)


def _describe(path: Path, relative: str) -> Found:
    try:
        status = path.stat()
    except OSError as error:
        return Found(relative, refused=error.strerror or "it cannot be opened")
    if not stat.S_ISREG(status.st_mode):
        return Found(relative, refused="no regular file")
    return Found(relative, status.st_size, status.st_mtime_ns)

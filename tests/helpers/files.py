"""Files of a folder, and files that are replaced or damaged."""

import os
from pathlib import Path

import numpy as np

from fplbench.files import seal_path


def is_seal(path: Path) -> bool:
    """Whether a file is the seal of another one."""
    return path.name.startswith(".") and path.suffix == ".sha256"


def names(folder: Path) -> list[str]:
    """The names in a folder, in order, without those of seals."""
    return sorted(path.name for path in folder.iterdir() if not is_seal(path))


def replace_array(path: Path, array: np.ndarray) -> None:
    """Write an array in place of one that fplbench wrote, as someone does who knows what the seal is for."""
    np.save(path, array)
    seal_path(path).unlink(missing_ok=True)


def flip(path: Path, place: int = -1) -> None:
    """Change one bit of a byte of a file, of the last one by default, as a failing disk does: size and time stay."""
    times = path.stat()
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

"""Files of a folder, and arrays that replace those that fplbench wrote."""

from pathlib import Path

import numpy as np

from fplbench.files import seal_path


def names(folder: Path) -> list[str]:
    """The names in a folder, in order, without those of seals."""
    return sorted(path.name for path in folder.iterdir() if not (path.name.startswith(".") and path.suffix == ".sha256"))


def replace_array(path: Path, array: np.ndarray) -> None:
    """Write an array in place of one that fplbench wrote, as someone does who knows what the seal is for."""
    np.save(path, array)
    seal_path(path).unlink(missing_ok=True)

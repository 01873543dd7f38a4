"""Places for results, looked at before the work begins."""

import os
import tempfile
from pathlib import Path

from fplbench.errors import InputError


def check_folder(folder: str | os.PathLike) -> None:
    """Make a folder where there is none; InputError unless files can be written into it."""
    if Path(folder).is_file():
        raise InputError(f"Nothing can be written into {folder}: it is a file. Name a folder.")
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return
    except OSError as error:
        raise InputError(f"Nothing can be written into {folder}: {error.strerror}. Name another folder.") from None


def check_file(path: Path, suffix: str, option: str) -> None:
    """InputError unless a file of that name and suffix can be written."""
    if path.suffix.lower() != suffix:
        raise InputError(f"{option} is {path}: its name must end in {suffix}.")
    if path.is_dir():
        raise InputError(f"{option} is {path}, which is a folder: name a file in it.")
    check_folder(path.parent)

"""What cannot be the output of a run, because something else would be touched or lost."""

import os
from collections.abc import Iterable
from pathlib import Path

from fplbench.applying.nifti.volume import SUFFIXES
from fplbench.datasets.loaders.general import PAIR, PAIR_LEFT_OUT
from fplbench.errors import InputError

RECORD = "apply.json"
LONGEST_NAME = 200  # bytes; file systems take 255, and names of temporary files are up to 51 longer


def check_name(path: Path) -> None:
    """InputError if a path is not the name of something that can be made."""
    if path.name in ("", ".."):
        raise InputError(f"{path} cannot be the output: give the name of a file or folder that is to be made.")
    if len(os.fsencode(path.name)) > LONGEST_NAME:
        raise InputError(f"The name of the output, {path.name[:20]}..., has more than {LONGEST_NAME} bytes: give a shorter one.")


def check_no_link(path: Path) -> None:
    """InputError if a path is a symbolic link: whether it or its target should be replaced cannot be known."""
    if path.is_symlink():
        raise InputError(f"{path} is a symbolic link, which is never replaced: name its target, or another output.")


def check_apart(mine: Path, source: Path, kept: Iterable[Path]) -> None:
    """InputError if writing to a path would touch the input, or a file that must be kept."""
    place, given = mine.resolve(), source.resolve()
    if place == given or (mine.exists() and mine.samefile(source)):
        raise InputError(f"{mine} is the input, which is never changed: name another output.")
    if place.is_relative_to(given):
        raise InputError(f"The output {mine} is inside the input {source}: name one outside it.")
    for path in (source, *kept):
        if path.resolve().is_relative_to(place):
            raise InputError(f"{path} is inside the output {mine}, which would be replaced: name another output.")


def check_kind(path: Path, source: Path) -> None:
    """InputError unless a path is named like the format of the input."""
    volume = path.name.lower().endswith(SUFFIXES)
    if not source.is_file():
        if volume or path.suffix.lower() == ".dcm":
            raise InputError(f"{source} is a folder, so the output must be one too: {path} is named like a file.")
    elif path.is_dir():
        raise InputError(f"{source} is a file, so the output must be one too: {path} is a folder.")
    elif volume and PAIR.search(source.name):
        raise InputError(f"{source} cannot be denoised: {PAIR_LEFT_OUT}.")
    elif volume != source.name.lower().endswith(SUFFIXES):
        kind = "must not end in .nii or .nii.gz" if volume else "must end in .nii or .nii.gz"
        raise InputError(f"{path} {kind}, as the output has the format of {source}.")


def check_free(existing: Path, source: Path, overwrite: bool) -> None:
    """InputError if something exists and may not be replaced."""
    if not os.path.lexists(existing):
        return
    if not overwrite:
        raise InputError(f"{existing} exists: name another output, or add --overwrite.")
    if existing.is_dir() and any(existing.iterdir()) and not (existing / RECORD).is_file():
        raise InputError(f"{existing} was not made by `fplbench apply`, so it is not overwritten: name another output.")
    if existing.is_file() and not source.is_file():
        raise InputError(f"{existing} is a file, which a folder cannot replace: name another output.")

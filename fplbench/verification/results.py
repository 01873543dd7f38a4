"""A folder of results with its manifest and config."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from fplbench.config import Config, load_config
from fplbench.errors import InputError
from fplbench.reporting.manifest import FORMAT
from fplbench.reporting.report import read_manifest

MANIFEST = "run.json"


@dataclass(frozen=True)
class Results:
    """A folder of results.

    Attributes:
        folder: the folder.
        manifest: what its run.json holds.
    """

    folder: Path
    manifest: Mapping[str, Any]

    @property
    def files(self) -> Mapping[str, Mapping[str, Any]]:
        """The files that run.json lists, by their paths from the folder, with their hashes."""
        files: Mapping[str, Mapping[str, Any]] = self.manifest["files"]
        return files

    def holds(self, name: str) -> bool:
        """Whether the path of a file stays in the folder, wherever links lead."""
        try:
            return (self.folder / name).resolve().is_relative_to(self.folder.resolve())
        except (OSError, RuntimeError, ValueError):  # a circle of links, or a name that no file can have
            return False

    @cached_property
    def config(self) -> Config:
        """The config of the run, as run.json has it."""
        try:
            return load_config(self.manifest["config"])
        except InputError as error:
            raise InputError(
                f"{self.folder / MANIFEST}: this version of fplbench cannot read the config of the run: {error}"
            ) from None

    @cached_property
    def cells(self) -> list[tuple[str, str]]:
        """The data sets and noises of the run."""
        return self.config.cells()


def open_results(folder: str | os.PathLike[str]) -> Results:
    """Open a folder of results.

    Raises:
        InputError: the folder does not exist, has no run.json, or its run.json is not the manifest of a run.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; give the folder of a run, which has its {MANIFEST}.")
    if not (folder / MANIFEST).exists():
        raise InputError(f"{folder} is not the folder of a finished run: it has no {MANIFEST}.")
    manifest = read_manifest(folder / MANIFEST)
    if not isinstance(manifest.get("config"), dict) or not isinstance(manifest.get("files"), dict):
        raise InputError(f"{folder / MANIFEST} has no config or no files: it is not the manifest of a run.")
    for key in ("files", "outside"):
        entries = manifest.get(key, {})
        if not isinstance(entries, dict) or not all(isinstance(state, dict) for state in entries.values()):
            raise InputError(f"{folder / MANIFEST} is malformed: {key!r} should hold an object with the hash of each file.")
    return Results(folder, manifest)


def check_format(results: Results) -> None:
    """Raise InputError where run.json was written by an older or a newer version, whose files cannot be verified."""
    found = results.manifest.get("format", 1)
    if found == FORMAT:
        return
    older = not isinstance(found, int) or found < FORMAT
    remedy = "run snakemake again, which writes it anew" if older else "install that version"
    raise InputError(
        f"{results.folder / MANIFEST} was written by {'an older' if older else 'a newer'} version of fplbench "
        f"({results.manifest.get('fplbench', 'unknown')}) and cannot be verified by this one: {remedy}."
    )

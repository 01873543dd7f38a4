"""The files of a run in its manifest, with their hashes; their paths are relative to the folder of the run, which may move."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from fplbench.errors import InputError
from fplbench.files import file_hash
from fplbench.scoring.hashes import read_hashes

FileState = dict[str, str | int]
"""sha256, and bytes where the file was there when the manifest was written."""


def file_states(
    files: Iterable[str | os.PathLike[str]], folder: Path | None
) -> tuple[dict[str, FileState], dict[str, FileState]]:
    """SHA-256 and size in bytes of the files in a folder, by their paths from there, and of those elsewhere, as they are given.

    Without a folder, all files go by their paths as they are given.

    Raises:
        InputError: a file is missing.
    """
    inside: dict[str, FileState] = {}
    outside: dict[str, FileState] = {}
    base = folder.resolve() if folder is not None else None
    for path in map(Path, files):
        place = path.resolve()
        if base is None:
            inside[str(path)] = _state(path)
        elif place.is_relative_to(base):
            inside[place.relative_to(base).as_posix()] = _state(path)
        else:
            outside[str(path)] = _state(path)
    return inside, outside


def scored_states(hashes: Path, known: Mapping[str, FileState], config: Mapping[str, Any]) -> dict[str, FileState]:
    """SHA-256 of the denoised stacks that were scored, which may be gone by now, by their paths from the folder of the run.

    Args:
        hashes: folder with {dataset}/{noise}.json, as `fplbench score --hashes` writes them.
        known: the other files of the run.
        config: the resolved config, for the data sets and noises of the run; an earlier run may have had others.

    Raises:
        InputError: the folder has no hashes or a malformed file, or a clean stack has changed since it was scored.
    """
    found: dict[str, FileState] = {}
    for file in sorted(hashes.glob("*/*.json")):
        dataset, noise = file.parent.name, file.stem
        if dataset not in config.get("datasets", [dataset]) or noise not in config.get("noises", [noise]):
            continue
        scored = read_hashes(file)
        for name, digest in scored.clean.items():
            clean = f"data/{dataset}/{name}.npy"
            if known.get(clean, {}).get("sha256", digest) != digest:
                raise InputError(f"{clean} has changed since {noise!r} was scored ({file}); score the images again.")
        found |= {f"denoised/{dataset}/{noise}/{name}.npy": {"sha256": digest} for name, digest in scored.denoised.items()}
    if not found:
        raise InputError(f"{hashes} holds no hashes of scored stacks, {{dataset}}/{{noise}}.json.")
    return found


def _state(path: Path) -> FileState:
    try:
        return {"sha256": file_hash(path), "bytes": path.stat().st_size}
    except FileNotFoundError:
        raise InputError(f"{path}, which the manifest should list, does not exist.") from None

"""Files with the UID of another: copies of it, or images to which careless anonymisation gave one UID."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from fplbench.applying.dicom.file import ImageFile
from fplbench.applying.dicom.pixels import FrameReader


def possible_copies(files: Iterable[ImageFile]) -> list[ImageFile]:
    """Files with the UIDs, places and coding of another file: only their pixels tell whether they are copies."""
    groups: dict[tuple, list[ImageFile]] = defaultdict(list)
    for file in files:
        groups[_identity(file)].append(file)
    return [file for group in groups.values() if len(group) > 1 for file in group]


def hash_pixels(task: tuple[Path, str, int]) -> str:
    """SHA-256 of the stored integers of a file's frames, whatever their compression. Runs in reading processes.

    Args:
        task: a root, a path relative to it, and the number of frames.
    """
    root, path, frames = task
    reader, pixels = FrameReader(), hashlib.sha256()
    for index in range(frames):
        stored = reader.read(root / path, index)
        pixels.update(f"{stored.shape}".encode())
        pixels.update(stored.astype("<i4").tobytes())
    return pixels.hexdigest()


def without_copies(files: Iterable[ImageFile], pixels: Mapping[str, str]) -> tuple[list[ImageFile], dict[str, str]]:
    """Leave copies out, and mark files that share their UID with an image that differs.

    Args:
        files: the files.
        pixels: the hash of the pixels of each possible copy, by path.

    Returns:
        The other files in the order of their paths, and the reason of each that is left out.
    """
    kept, left_out = [], {}
    first: dict[tuple, str] = {}
    for file in sorted(files, key=lambda one: one.path):
        path = first.setdefault((*_identity(file), pixels.get(file.path)), file.path)
        if path == file.path:
            kept.append(file)
        else:
            left_out[file.path] = f"a copy of {path}"
    uses = Counter(file.instance for file in kept)
    return [replace(file, shared=uses[file.instance] > 1) for file in kept], left_out


def _identity(file: ImageFile) -> tuple:
    return file.group, file.instance, file.frames

"""NIfTI volumes as scans: slices in, a volume with the same header out."""

import errno
import os
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from fplbench.applying.nifti.volume import NO_SPACE, SUFFIXES, VolumeHeader, read_volume_header, release, scaled, unpack
from fplbench.applying.nifti.writer import NiftiWriter
from fplbench.applying.scan import Facts, Found, Kind, Plane, ReadingOptions, Stamp
from fplbench.datasets.reader import Failure
from fplbench.datasets.registry import NotAnImage
from fplbench.datasets.workers import run_guarded
from fplbench.errors import InputError

BLOCK = 16  # slices read at once where they do not lie one after the other in the file
SLOWEST = 20e6  # bytes a second that unpacking takes at least


class NiftiScan:
    """A NIfTI volume, slice by slice.

    A compressed volume is unpacked to the scratch folder when its first slice is read, by a guarded process that reads it
    once through. Voxels are then read where they lie: a slice takes the memory of a slice.

    Args:
        path: the file.
        facts: what is known of it.
        header: its header.
        options: scratch folder, time limit, type of the denoised values.
        suffix: of the files to write, .nii or .nii.gz.
    """

    def __init__(self, path: Path, facts: Facts, header: VolumeHeader, options: ReadingOptions, suffix: str) -> None:
        self.path, self.facts, self.header, self.options, self.suffix = path, facts, header, options, suffix
        self.files: tuple[Path, ...] = (path,)
        self._stored: np.ndarray | None = None

    def planes(self, numbers: Sequence[int]) -> Iterator[Plane]:
        """Read slices, in the order of their numbers, one at a time.

        Raises:
            InputError: the file cannot be read.
        """
        wanted = sorted(numbers)
        block = 1 if self.header.shown[0] == 2 else BLOCK
        for start in range(0, len(wanted), block):
            part = wanted[start : start + block]
            for number, stored in zip(part, self.stored(part), strict=True):
                yield Plane(number, scaled(stored, self.header.slope, self.header.inter))

    def stored(self, numbers: Sequence[int]) -> np.ndarray:
        """Slices as they are stored, before slope and intercept, (N, H, W).

        Raises:
            InputError: the file cannot be read.
        """
        if self._stored is None:
            self._stored = self._map()
        view = self.header.upright(self._stored)
        # A range reads what lies side by side in one go.
        whole = len(numbers) == numbers[-1] - numbers[0] + 1
        slices = np.array(view[numbers[0] : numbers[-1] + 1]) if whole else np.stack([view[number] for number in numbers])
        release(self._stored)
        return slices

    def writer(self, kind: Kind, folder: Path, stamp: Stamp) -> NiftiWriter:
        """What writes an output of the volume below a folder. Slices that an earlier, interrupted run wrote there stay."""
        path = folder / f"{self.facts.name}{self.suffix}"
        return NiftiWriter(self.path, path, self.header, kind, self.options.dtype, self.stored)

    def _map(self) -> np.ndarray:
        """The voxels of the volume, mapped from the file or from an unpacked copy, which disappears with the map."""
        packed = self.path.name.lower().endswith(".gz")
        path, offset = (self._unpacked(), 0) if packed else (self.path, self.header.offset)
        try:
            return np.memmap(path, self.header.dtype, "r", offset, self.header.shape, "F")
        except (FileNotFoundError, ValueError):  # the file has become shorter
            raise InputError(f"{self.facts.label} has changed since the command began: run it again.") from None
        finally:
            if packed:
                path.unlink(missing_ok=True)

    def _unpacked(self) -> Path:
        """A file with the voxels of the compressed volume."""
        folder = self.options.scratch or Path(tempfile.gettempdir())
        path = folder / f"{uuid.uuid4().hex}.raw"
        seconds = max(self.options.seconds_per_file, self.header.nbytes / SLOWEST)
        ((_, answer),) = run_guarded(unpack, [(str(self.path), str(path), self.header)], 1, seconds, ("nibabel",))
        if isinstance(answer, Failure):
            raise InputError(f"{self.facts.label} cannot be read: {answer.words(self.path.parent, self.path.name, False)}.")
        if answer == NO_SPACE:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
        return path


def find_nifti_scans(root: Path, files: Sequence[str], options: ReadingOptions, suffix: str = ".nii.gz") -> Found:
    """The volumes among files, from their headers.

    Args:
        root: the folder.
        files: paths relative to it, of files whose names end in .nii or .nii.gz.
        options: time limit and processes.
        suffix: of the files that the scans write, .nii or .nii.gz.
    """
    found = Found()
    tasks = [str(root / path) for path in files]
    answers = run_guarded(_header, tasks, options.threads, options.seconds_per_file, ("nibabel",))
    for number, answer in sorted(answers, key=lambda answer: answer[0]):
        path = files[number]
        if isinstance(answer, Failure):
            found.problems[path] = answer.words(root, path, False)
        elif isinstance(answer, str):
            found.skipped[path] = answer
        else:
            slices, rows, columns = answer.upright_shape
            facts = Facts(stem(path), path, None, answer.spacing, slices, rows, columns, False, answer.notes)
            found.scans.append(NiftiScan(root / path, facts, answer, options, suffix))
    return found


def stem(path: str) -> str:
    """A path without .nii or .nii.gz."""
    return next(path[: -len(suffix)] for suffix in sorted(SUFFIXES, key=len, reverse=True) if path.lower().endswith(suffix))


def _header(path: str) -> VolumeHeader | str:
    """The header of a volume, or why it is left out."""
    try:
        return read_volume_header(path)
    except NotAnImage as reason:
        return str(reason)

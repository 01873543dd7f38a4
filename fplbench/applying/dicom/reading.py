"""A process that reads DICOM files for the main one, so that no file can crash, stall or exhaust it."""

from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from fplbench.applying.dicom.derivation import Derivation
from fplbench.applying.dicom.header import derived_header
from fplbench.applying.dicom.pixels import FrameReader
from fplbench.datasets.reader import Failure
from fplbench.datasets.workers import run_guarded
from fplbench.errors import InputError

LIBRARIES = ("pydicom",)
FRAMES = FrameReader()  # of the reading process


class DicomReader:
    """Reads frames and derives headers, one after the other, in one guarded process that starts with the first of them."""

    def __init__(self, root: Path, seconds: float) -> None:
        """Read files below `root`, with a limit of CPU time for each frame or header."""
        self.root = root
        self._task: Any = None
        self._answers = run_guarded(answer, self._tasks(), 1, seconds, LIBRARIES)
        self._lock = Lock()

    def stored(self, path: str, index: int) -> np.ndarray:
        """Frame `index` of a file, (H, W), integers as stored. InputError if it cannot be decoded."""
        return self._ask(path, (self.root / path, index))

    def header(self, path: str, derivation: Derivation) -> bytes:
        """The beginning of a derived file, up to its pixels. InputError if the header of the original is damaged."""
        return self._ask(path, (self.root / path, derivation))

    def _tasks(self) -> Iterator[Any]:
        while True:
            yield self._task

    def _ask(self, path: str, task: Any) -> Any:
        with self._lock:
            self._task = task
            _, result = next(self._answers)
        if isinstance(result, Failure):
            raise InputError(f"{path} cannot be read: {result.words(self.root, path, private=True)}.")
        return result


def answer(task: tuple[Path, int | Derivation]) -> np.ndarray | bytes:
    """What `DicomReader` asks for, in the reading process."""
    path, wanted = task
    return derived_header(path, wanted) if isinstance(wanted, Derivation) else FRAMES.read(path, wanted)

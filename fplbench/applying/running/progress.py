"""The progress bar of a run, and its speed."""

import sys
import time
from types import TracebackType
from typing import Self


class Progress:
    """Counts slices over all scans of a run, and shows them on a terminal.

    Args:
        slices: number of slices in all.
        done: number of slices that an earlier run has written.
    """

    def __init__(self, slices: int, done: int = 0) -> None:
        from tqdm import tqdm

        self.count, self.started = 0, time.monotonic()
        self._bar = tqdm(total=slices, initial=done, unit="slice", disable=not sys.stderr.isatty())

    def scan(self, label: str) -> None:
        """Say which scan is next."""
        self._bar.set_description(label)

    def step(self) -> None:
        """Count a slice."""
        self.count += 1
        self._bar.update()

    @property
    def speed(self) -> float:
        """Slices a second that this run has written, everything included."""
        return self.count / max(time.monotonic() - self.started, 1e-9)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._bar.close()

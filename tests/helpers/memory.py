"""Memory of processes, as counted by the kernel; for tests and benchmarks."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def peak_memory(own: bool = False, interval: float = 0.02) -> Iterator[Callable[[], float]]:
    """Context that yields a function returning the peak memory of the descendants that this process starts in it, MB.

    Shared pages count once (proportional set size). Processes that earlier tests have left, such as a pool, do not count.

    Args:
        own: whether this process is counted too; in tests it is not, since other tests use it as well.
        interval: seconds between two looks.
    """
    peak, stop = [0.0], threading.Event()
    before = {*descendants()}

    def watch() -> None:
        while not stop.wait(interval):
            counted = {*(family() if own else descendants())} - before
            peak[0] = max(peak[0], sum(map(proportional_size, counted)))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield lambda: peak[0] / 1000
    finally:
        stop.set()
        watcher.join()


def descendants() -> list[int]:
    """Process numbers of all descendants of this process."""
    return family()[1:]


def family() -> list[int]:
    """Process numbers of this process and of all its descendants."""
    found = [os.getpid()]
    for process in found:
        with suppress(OSError):  # it has ended
            for task in Path(f"/proc/{process}/task").glob("*/children"):
                found += map(int, task.read_text().split())
    return found


def proportional_size(process: int) -> int:
    """Proportional set size of a process, kB; 0 if it has ended."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)

"""Memory of child processes, as counted by the kernel."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def peak_memory() -> Iterator[Callable[[], float]]:
    """Context that yields a function returning the peak memory of all descendants of this process, MB.

    Shared pages count once (proportional set size). This process itself is not counted, since other tests use it too.
    """
    peak, stop = [0.0], threading.Event()

    def watch() -> None:
        while not stop.wait(0.02):
            peak[0] = max(peak[0], sum(map(proportional_size, descendants())))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield lambda: peak[0] / 1000
    finally:
        stop.set()
        watcher.join()


def descendants() -> list[int]:
    """Process numbers of all descendants of this process."""
    found = [os.getpid()]
    for process in found:
        for task in Path(f"/proc/{process}/task").glob("*/children"):
            try:
                found += map(int, task.read_text().split())
            except OSError:  # it has ended
                continue
    return found[1:]


def proportional_size(process: int) -> int:
    """Proportional set size of a process, kB; 0 if it has ended."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)

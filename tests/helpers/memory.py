"""Memory of reading processes, as the kernel counts it."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def peak_memory() -> Iterator[Callable[[], float]]:
    """Context that yields a function to ask for the peak memory of all processes that descend from this one, MB.

    Shared pages count once (proportional set size). This process is not counted: it is that of the other tests, too.
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
    found = [os.getpid()]
    for process in found:
        for task in Path(f"/proc/{process}/task").glob("*/children"):
            try:
                found += map(int, task.read_text().split())
            except OSError:  # it has ended
                continue
    return found[1:]


def proportional_size(process: int) -> int:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)

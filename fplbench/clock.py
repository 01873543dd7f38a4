"""Files that were written before the clock of the machine went back."""

import os
import time
from pathlib import Path

STEP = 1000  # nanoseconds between two of the times that are given; the files keep their order


def bring_back(folder: str | os.PathLike[str]) -> int:
    """Give the files of a folder whose times are in the future, as the clock went back since, the present time.

    Snakemake refuses a job whose input is younger than its output, and the clock would have to catch up first. The files keep
    their order among each other, and stay younger than all others, so that nothing is made again for it, and nothing left out.

    Returns:
        The number of these files.
    """
    now = time.time_ns()
    files = (Path(place) / name for place, _, names in os.walk(folder) for name in names)
    ahead = [(file, file.stat().st_mtime_ns) for file in files if file.lstat().st_mtime_ns > now]
    latest_first = sorted({changed for _, changed in ahead}, reverse=True)
    given = {changed: now - STEP * rank for rank, changed in enumerate(latest_first)}
    for file, changed in ahead:
        os.utime(file, ns=(given[changed], given[changed]))
    return len(ahead)

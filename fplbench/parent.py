"""A job ends with the Snakemake that started it, so that it writes nothing beside the jobs of the next one."""

import os
import select
import sys
import threading
import time
from pathlib import Path

RUN = "FPLBENCH_RUN"
"""Process id of the Snakemake whose jobs inherit the variable."""
GRACE = 2.0  # seconds between the interrupt and the end of a process that does not heed it


def end_with_snakemake() -> None:
    """End this process when the Snakemake that started it is gone; other processes are left alone.

    A Snakemake that is killed leaves its jobs behind, which would go on writing while the next one, perhaps with another config,
    makes the same files. The process is interrupted, as by Ctrl-C, so that it removes what it has half written. Where the system
    cannot watch processes (only Linux can), nothing happens.
    """
    text = os.environ.get(RUN, "")
    if sys.platform != "linux" or not text.isdecimal() or int(text) not in _ancestors():
        return
    try:
        descriptor = os.pidfd_open(int(text))
    except OSError:
        return
    threading.Thread(target=_wait, args=(descriptor,), daemon=True).start()


def _wait(descriptor: int) -> None:
    """Wait for the end of the process behind a descriptor, which costs nothing meanwhile."""
    import _thread

    select.select([descriptor], [], [])
    _thread.interrupt_main()
    time.sleep(GRACE)
    os._exit(1)


def _ancestors() -> set[int]:
    """Process ids of the parent, its parent, and so on."""
    found: set[int] = set()
    process = os.getppid()
    while process > 1 and process not in found:
        found.add(process)
        try:
            text = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            break
        process = int(text.rpartition(")")[2].split()[1])
    return found

"""A job ends with its shell and the Snakemake that started it, so that it writes nothing that no one waits for any more."""

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
    """End this process when the Snakemake that started it, or a process between them, is gone; others are left alone.

    A Snakemake that is killed leaves its jobs behind, which would go on writing while the next one, perhaps with another config,
    makes the same files. If the shell of a job is killed, Snakemake takes the job for failed and removes its results, and some
    would appear later. The process is interrupted, as by Ctrl-C, so that it removes what it has half written. Where the system
    cannot watch processes (only Linux can), nothing happens.
    """
    text = os.environ.get(RUN, "")
    if sys.platform != "linux" or not text.isdecimal():
        return
    ancestors = _ancestors()
    if int(text) not in ancestors:
        return
    try:
        descriptors = [os.pidfd_open(process) for process in ancestors[: ancestors.index(int(text)) + 1]]
    except OSError:
        return
    threading.Thread(target=_wait, args=(descriptors,), daemon=True).start()


def _wait(descriptors: list[int]) -> None:
    """Wait until one of the processes behind some descriptors ends, which costs nothing meanwhile."""
    import _thread

    select.select(descriptors, [], [])
    lost = threading.Event()
    _notice_lost_interrupts(lost)
    end = time.monotonic() + GRACE
    _thread.interrupt_main()
    while lost.wait(max(0.0, end - time.monotonic())):
        lost.clear()
        _thread.interrupt_main()
    os._exit(1)


def _notice_lost_interrupts(lost: threading.Event) -> None:
    """Set the event when Python forgets an interrupt, as it does within callbacks of an import, instead of printing that."""

    def notice(unraisable: "sys.UnraisableHookArgs") -> None:
        if issubclass(unraisable.exc_type, KeyboardInterrupt):
            lost.set()
        else:
            sys.__unraisablehook__(unraisable)

    sys.unraisablehook = notice


def _ancestors() -> list[int]:
    """Process ids of the parent, its parent, and so on."""
    found: list[int] = []
    process = os.getppid()
    while process > 1 and process not in found:
        found.append(process)
        try:
            text = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            break
        process = int(text.rpartition(")")[2].split()[1])
    return found

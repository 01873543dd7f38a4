"""The side of a reading process: answers tasks under a limit of processor time and of memory."""

import importlib
import logging
import re
import signal
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal

from fplbench.datasets.registry import Unreadable

# Values that a library quotes in its errors come from the file, and can be a name as well as a number.
QUOTED = re.compile(r"""b?(["']).*?(?:(?<!\\)\1|$)""")


@dataclass(frozen=True)
class Failure:
    """What stands in for a result when a file could not be read.

    `reason` is a phrase of our own, without names; `detail` is what a library said, which may hold some. With the cause
    `memory` or `crash` the file may be readable by a process that has the memory for itself.
    """

    reason: str
    detail: str = ""
    cause: Literal["file", "memory", "crash", "time"] = "file"

    def words(self, root: Path, source: str, private: bool) -> str:
        """The reason as a phrase; without paths, and where it is private without a library's words."""
        if private or not self.detail:
            return self.reason
        detail = self.detail
        for name in (str(root / source), source, Path(source).name, str(root)):
            detail = detail.replace(name, "the file")
        return f"{self.reason} ({detail})"


def serve(connection: Connection, function: Callable[[Any], Any], libraries: Sequence[str], seconds: float, memory: int) -> None:
    """Answer batches of tasks, one answer a task, until the other end closes.

    The libraries' own remarks on odd files are silenced: the program that asked names each file once, with its reason.

    Args:
        connection: to the program; gets None once the libraries are loaded.
        function: is applied to each task.
        libraries: modules to load before the limits hold.
        seconds: processor time for a task; the system ends the process that exceeds it, whatever it is doing.
        memory: bytes that may be taken beyond what the libraries take.
    """
    warnings.simplefilter("ignore")
    logging.disable()
    for library in libraries:
        importlib.import_module(library)
    if "cv2" in libraries:
        importlib.import_module("cv2").setNumThreads(1)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    _limit_memory(memory)
    connection.send(None)
    while True:
        try:
            tasks = connection.recv()
        except EOFError:
            return
        for task in tasks:
            signal.setitimer(signal.ITIMER_PROF, seconds)
            answer = _answer(function, task)
            signal.setitimer(signal.ITIMER_PROF, 0)
            connection.send(answer)


def _answer(function: Callable[[Any], Any], task: Any) -> Any:
    # A damaged file can raise anything inside a decoder, so everything is caught here and named.
    try:
        return function(task)
    except Unreadable as error:
        return Failure(str(error))
    except RecursionError:
        return Failure("it is nested too deeply")
    except Exception as error:
        text = " ".join(str(error)[:2000].split())
        # Decoders report that memory is short in errors of their own.
        if isinstance(error, MemoryError) or "memory" in text.lower():
            return Failure("it needs too much memory", cause="memory")
        if isinstance(error, OSError) and error.strerror:
            return Failure(f"it cannot be read: {error.strerror}")
        printable = "".join(letter if letter.isprintable() else "?" for letter in QUOTED.sub("...", text))
        return Failure("it is damaged", printable[:120])


def _limit_memory(more: int) -> None:
    """Limit the address space to what is in use now and `more` bytes, where the system can do so (Linux)."""
    try:
        import resource

        with open("/proc/self/statm") as file:
            used = int(file.read().split()[0]) * resource.getpagesize()
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        limit = used + more if hard == resource.RLIM_INFINITY else min(hard, used + more)
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    except (ImportError, OSError, ValueError):
        return

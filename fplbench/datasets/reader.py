"""The worker side of guarded reading: runs tasks under limits on CPU time and memory."""

import importlib
import logging
import re
import signal
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal

from fplbench.datasets.registry import Unreadable

# Values that a library quotes in its errors come from the file, and may be names.
QUOTED = re.compile(r"""b?(["']).*?(?:(?<!\\)\1|$)""")


@dataclass(frozen=True)
class Failure:
    """The result of a task whose file could not be read.

    Attributes:
        reason: a phrase of our own, without names.
        detail: the message of a library, which may contain names.
        cause: after `memory` or `crash`, a process that does not share the memory may still be able to read the file.
    """

    reason: str
    detail: str = ""
    cause: Literal["file", "memory", "crash", "time"] = "file"

    def words(self, root: Path, source: str, private: bool) -> str:
        """The reason as a phrase without paths; with `private`, also without the message of the library."""
        if private or not self.detail:
            return self.reason
        # The longest first. A name that is a mere word or number, such as "t" or "1", could mean anything in a message.
        names = [name for name in (str(root / source), source, Path(source).name, str(root)) if not name.isalnum()]
        whole = rf"(?<![\w./\\-])(?:{'|'.join(map(re.escape, names))})(?![\w/\\-]|\.\w)"
        detail = re.sub(rf"(?:\b[Ff]ile )?{whole}", "the file", self.detail) if names else self.detail
        return f"{self.reason} ({detail})"


def serve(connection: Connection, function: Callable[[Any], Any], libraries: Sequence[str], seconds: float, memory: int) -> None:
    """Run batches of tasks and send one answer per task, until the other end closes.

    Warnings and log messages of the libraries are silenced: the main process reports each file once, with its reason.

    Args:
        connection: to the main process; receives None once the libraries are loaded.
        function: applied to each task.
        libraries: modules to import before the limits apply.
        seconds: CPU time for one task; the operating system ends a process that exceeds it, whatever it is doing.
        memory: bytes that may be allocated in addition to what the libraries use.
    """
    warnings.simplefilter("ignore")
    logging.disable()
    for library in libraries:
        importlib.import_module(library)
    if "cv2" in libraries:
        importlib.import_module("cv2").setNumThreads(1)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the main process, which ends this one
    _limit_memory(memory)
    with suppress(EOFError, ConnectionError):  # the main process has ended, or needs no more
        connection.send(None)
        while True:
            for task in connection.recv():
                signal.setitimer(signal.ITIMER_PROF, seconds)
                answer = _answer(function, task)
                signal.setitimer(signal.ITIMER_PROF, 0)
                connection.send(answer)


def _answer(function: Callable[[Any], Any], task: Any) -> Any:
    # A damaged file can raise any exception inside a decoder, so all are caught and reported.
    try:
        return function(task)
    except Unreadable as error:
        return Failure(str(error))
    except RecursionError:
        return Failure("it is nested too deeply")
    except Exception as error:
        text = " ".join(str(error)[:2000].split())
        # Decoders report a lack of memory in exceptions of their own.
        if isinstance(error, MemoryError) or "memory" in text.lower():
            return Failure("it needs too much memory", cause="memory")
        if isinstance(error, OSError) and error.strerror:
            return Failure(f"it cannot be read: {error.strerror}")
        printable = "".join(letter if letter.isprintable() else "?" for letter in QUOTED.sub("...", text))
        return Failure("it is damaged", printable[:120])


def _limit_memory(more: int) -> None:
    """Limit the address space to the current size plus `more` bytes, if the system supports it (Linux)."""
    try:
        import resource

        with open("/proc/self/statm") as file:
            used = int(file.read().split()[0]) * resource.getpagesize()
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        limit = used + more if hard == resource.RLIM_INFINITY else min(hard, used + more)
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    except (ImportError, OSError, ValueError):
        return

"""Reading files in processes of their own, so that no file can crash, stall or swell the program."""

import importlib
import logging
import multiprocessing
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

START_SECONDS = 120  # for a process to start and load its libraries, on a busy machine
MEMORY_BYTES = 1_500_000_000  # that a file may take beyond what the libraries take


@dataclass(frozen=True)
class Failure:
    """What stands in for a result when a file could not be read; the reason is a phrase."""

    reason: str


def run_guarded(
    function: Callable[[Any], Any],
    tasks: Iterable[Any],
    threads: int,
    seconds: float,
    libraries: Sequence[str] = (),
    batch: int = 1,
) -> Iterator[tuple[int, Any]]:
    """Apply a function to each task in worker processes.

    A task that raises, takes longer than `seconds`, needs more than 1.5 GB, or kills its process yields a Failure; the
    others are not affected.

    Args:
        function: defined at the top level of a module; gets one task.
        tasks: what to work on; read as needed.
        threads: number of processes.
        seconds: limit for one task.
        libraries: modules to load before the clock starts.
        batch: tasks handed to a process at once.

    Yields:
        The number of the task, from 0, and its result, in the order in which they are done.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["__main__", __name__, *libraries])
    waiting = enumerate(tasks)
    workers = []
    try:
        for _ in range(threads):
            worker = _Worker(context, function, seconds, tuple(libraries))
            workers.append(worker)
            worker.take(waiting, batch)
        while busy := [worker for worker in workers if worker.pending]:
            limit = max(0.0, min(worker.deadline for worker in busy) - time.monotonic())
            ready = wait([worker.connection for worker in busy], limit)
            for worker in busy:
                if worker.connection in ready or time.monotonic() > worker.deadline:
                    yield from worker.receive()
                if not worker.pending:
                    worker.take(waiting, batch)
    finally:
        for worker in workers:
            worker.stop()


class _Worker:
    """One process, the tasks handed to it, and the time by which it has to answer."""

    def __init__(self, context: Any, function: Callable, seconds: float, libraries: tuple[str, ...]):
        self.context, self.function, self.seconds, self.libraries = context, function, seconds, libraries
        self.pending: deque[tuple[int, Any]] = deque()
        self.process = None
        self.connection: Connection | None = None
        self.started = False
        self.deadline = 0.0

    def take(self, waiting: Iterator[tuple[int, Any]], batch: int) -> None:
        """Hand the next tasks to the process; the first ones start it."""
        self.pending.extend(task for _, task in zip(range(batch), waiting, strict=False))
        if self.pending:
            self._send()

    def receive(self) -> Iterator[tuple[int, Any]]:
        """Yield the answer that has come, or the failure of a process that has died or is overdue."""
        if self.connection.poll():
            try:
                answer = self.connection.recv()
            except (EOFError, OSError):
                yield from self._fail("the decoder crashed on it")
                return
            self.deadline = time.monotonic() + self.seconds
            if not self.started:
                self.started = True
                return
            yield self.pending.popleft()[0], answer
        elif time.monotonic() > self.deadline:
            yield from self._fail(f"it took longer than {self.seconds:g} s")

    def stop(self) -> None:
        """End the process."""
        if self.process is not None:
            self.connection.close()
            self.process.kill()
            self.process.join()
            self.process = None

    def _send(self) -> None:
        if self.process is None:
            self.connection, theirs = self.context.Pipe()
            self.process = self.context.Process(
                target=_serve, args=(theirs, self.function, self.libraries), daemon=True, name="fplbench reader"
            )
            self.process.start()
            theirs.close()
            self.started = False
        self.deadline = time.monotonic() + (self.seconds if self.started else START_SECONDS)
        self.connection.send([task for _, task in self.pending])

    def _fail(self, reason: str) -> Iterator[tuple[int, Failure]]:
        if not self.started:
            raise RuntimeError(f"a reading process did not start within {START_SECONDS} s")
        self.stop()
        yield self.pending.popleft()[0], Failure(reason)
        if self.pending:
            self._send()


def _serve(connection: Connection, function: Callable, libraries: Sequence[str]) -> None:
    """Answer batches of tasks, one answer a task, until the other end closes.

    The libraries' own remarks on odd files are silenced: the program that asked names each file once, with its reason.
    """
    warnings.simplefilter("ignore")
    logging.disable()
    for library in libraries:
        importlib.import_module(library)
    if "cv2" in libraries:
        importlib.import_module("cv2").setNumThreads(1)
    _limit_memory()
    connection.send(None)
    while True:
        try:
            tasks = connection.recv()
        except EOFError:
            return
        for task in tasks:
            connection.send(_answer(function, task))


def _answer(function: Callable, task: Any) -> Any:
    # A damaged file can raise anything inside a decoder, so everything is caught here and named.
    try:
        return function(task)
    except MemoryError:
        return Failure("it needs too much memory")
    except Exception as error:
        return Failure(" ".join(f"{type(error).__name__}: {error}".split())[:300])


def _limit_memory() -> None:
    """Limit the address space to what is in use now and MEMORY_BYTES more, where the system can do so."""
    try:
        import resource

        with open("/proc/self/statm") as file:
            used = int(file.read().split()[0]) * resource.getpagesize()
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        limit = used + MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(hard, used + MEMORY_BYTES)
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    except (ImportError, OSError, ValueError):
        return

"""Reading files in processes of their own, so that no file can crash, stall or swell the program."""

import multiprocessing
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from types import ModuleType
from typing import Any

from fplbench.datasets.reader import Failure, serve
from fplbench.errors import InputError

START_SECONDS = 120  # for a process to start and load its libraries, on a busy machine
PATIENCE = 10  # times the limit of processor time may pass until a process counts as stuck
MEMORY = 960_000_000  # bytes that all files read at a time may take, beyond what the libraries take
PROCESSES = 10  # at most, so that each one's share of the memory holds an ordinary image


def run_guarded(
    function: Callable[[Any], Any],
    tasks: Iterable[Any],
    threads: int,
    seconds: float,
    libraries: Sequence[str] = (),
    batch: int = 1,
) -> Iterator[tuple[int, Any]]:
    """Apply a function to each task in worker processes.

    A task that raises, takes more than `seconds` of processor time, needs too much memory, or kills its process yields a
    Failure; the others are not affected. The processes share MEMORY; what is too large for a share is tried again at
    the end, alone and with all of it, so that the outcome does not depend on the number of processes.

    Args:
        function: defined at the top level of a module; gets one task.
        tasks: what to work on; read as needed.
        threads: number of processes; more than PROCESSES are not used.
        seconds: limit for one task.
        libraries: modules to load before the clock starts.
        batch: tasks handed to a process at once.

    Yields:
        The number of the task, from 0, and its result, in the order in which they are done.

    Raises:
        InputError: no process could be started.
    """
    processes = max(1, min(threads, PROCESSES))
    again = []
    for number, task, answer in _run(function, enumerate(tasks), processes, seconds, libraries, batch):
        if processes > 1 and isinstance(answer, Failure) and answer.cause in ("memory", "crash"):
            again.append((number, task))
        else:
            yield number, answer
    for number, _, answer in _run(function, iter(again), 1, seconds, libraries, 1):
        yield number, answer


def _run(function, waiting, processes, seconds, libraries, batch) -> Iterator[tuple[int, Any, Any]]:
    """Apply a function to numbered tasks; yields number, task and answer."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([function.__module__, *libraries])
    workers = []
    try:
        for _ in range(processes):
            worker = _Worker(context, (function, tuple(libraries), seconds, MEMORY // processes))
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

    def __init__(self, context: Any, order: tuple[Callable, tuple[str, ...], float, int]):
        self.context, self.order = context, order
        self.seconds = order[2]
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

    def receive(self) -> Iterator[tuple[int, Any, Any]]:
        """Yield the answer that has come, or the failure of a process that has died or is overdue."""
        if self.connection.poll():
            try:
                answer = self.connection.recv()
            except (EOFError, OSError):
                yield from self._fail()
                return
            self.deadline = time.monotonic() + PATIENCE * self.seconds
            if not self.started:
                self.started = True
                return
            yield *self.pending.popleft(), answer
        elif time.monotonic() > self.deadline:
            yield from self._fail(Failure(f"it gave no answer for {PATIENCE * self.seconds:g} s", cause="time"))

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
            self.process = self.context.Process(target=serve, args=(theirs, *self.order), daemon=True, name="fplbench reader")
            with _without_main():
                self.process.start()
            theirs.close()
            self.started = False
        self.deadline = time.monotonic() + (PATIENCE * self.seconds if self.started else START_SECONDS)
        with suppress(OSError):  # a process that has just ended is noticed when its answer is due
            self.connection.send([task for _, task in self.pending])

    def _fail(self, failure: Failure | None = None) -> Iterator[tuple[int, Any, Failure]]:
        if failure is None:
            self.process.join(1)
            if self.process.exitcode == -signal.SIGPROF:
                failure = Failure(f"it took longer than {self.seconds:g} s of processor time", cause="time")
            else:
                failure = Failure("the decoder crashed on it", cause="crash")
        self.stop()
        if not self.started:
            raise InputError(
                "A process that reads files ended, or did not answer, while it was started: see whether the machine has "
                "memory and processes to spare, and run the command again."
            )
        yield *self.pending.popleft(), failure
        if self.pending:
            self._send()


@contextmanager
def _without_main() -> Iterator[None]:
    """Hide the main module while a process is started.

    A new process would run the caller's script again to have its functions; readers need none of them, and a script
    without `if __name__ == "__main__"` would start over.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main

"""Guarded reading in worker processes, so that no file can crash, stall or exhaust the main process."""

import multiprocessing
import multiprocessing.forkserver
import multiprocessing.resource_tracker
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import wait
from types import ModuleType
from typing import Any

from fplbench.datasets.reader import Failure, serve
from fplbench.errors import InputError

START_SECONDS = 120  # for a process to start and import its libraries, on a busy machine
PATIENCE = 10  # a process counts as stuck after this multiple of the CPU time limit
MEMORY = 960_000_000  # bytes for all files read at the same time, in addition to what the libraries use
NOT_STARTED = (
    "A reading process ended or did not respond while it was starting: check that the machine has enough free memory and "
    "processes, and run the command again."
)
PROCESSES = 10  # at most, so that the share of each process is enough for an ordinary image


def run_guarded(
    function: Callable[[Any], Any],
    tasks: Iterable[Any],
    threads: int,
    seconds: float,
    libraries: Sequence[str] = (),
    batch: int = 1,
) -> Iterator[tuple[int, Any]]:
    """Apply a function to each task in worker processes.

    A task that raises an exception, takes more than `seconds` of CPU time, needs too much memory, or crashes its process
    yields a Failure; the other tasks are not affected. The processes share MEMORY. A task that is too large for its share
    is repeated at the end, alone and with all the memory, so that the result does not depend on the number of processes.

    Args:
        function: takes one task; must be defined at the top level of a module.
        tasks: the tasks; consumed as needed.
        threads: number of processes, at most PROCESSES.
        seconds: CPU time limit for one task.
        libraries: modules to import before the time starts.
        batch: number of tasks sent to a process at once.

    Yields:
        The number of the task, counted from 0, and its result, in order of completion.

    Raises:
        InputError: no process could be started.
    """
    processes = max(1, min(threads, PROCESSES))
    again: list[tuple[int, Any]] = []
    for number, task, answer in _run(function, enumerate(tasks), processes, seconds, libraries, batch):
        if processes > 1 and isinstance(answer, Failure) and answer.cause in ("memory", "crash"):
            again.append((number, task))
        else:
            yield number, answer
    for number, _, answer in _run(function, iter(again), 1, seconds, libraries, 1):
        yield number, answer


def _run(
    function: Callable[[Any], Any],
    waiting: Iterator[tuple[int, Any]],
    processes: int,
    seconds: float,
    libraries: Sequence[str],
    batch: int,
) -> Iterator[tuple[int, Any, Any]]:
    """Apply a function to numbered tasks; yields number, task and answer."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([function.__module__, *libraries])
    workers: list[_Worker] = []
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


def _start_server() -> None:
    """Start the server that forks the workers, with Ctrl-C blocked, which is for the main process.

    Otherwise, Ctrl-C while the server imports libraries, or before a worker is at work, prints its traceback.
    """
    multiprocessing.resource_tracker.ensure_running()  # the server needs it, and it would unblock the signal
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        multiprocessing.forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


class _Worker:
    """A process, the tasks sent to it, and the time by which it must answer."""

    def __init__(self, context: Any, order: tuple[Callable[[Any], Any], tuple[str, ...], float, int]) -> None:
        self.context, self.order = context, order
        self.seconds = order[2]
        self.pending: deque[tuple[int, Any]] = deque()
        self.process: Any = None
        self.connection: Any = None
        self.started = False
        self.begun = 0
        self.deadline = 0.0

    def take(self, waiting: Iterator[tuple[int, Any]], batch: int) -> None:
        """Send the next tasks to the process; the first ones start it."""
        self.pending.extend(task for _, task in zip(range(batch), waiting, strict=False))
        if self.pending:
            self._send()

    def receive(self) -> Iterator[tuple[int, Any, Any]]:
        """Yield the next answer, or a Failure if the process has ended or is overdue."""
        if self.connection.poll():
            try:
                answer = self.connection.recv()
            except (EOFError, OSError):
                yield from self._fail()
                return
            self.deadline = time.monotonic() + PATIENCE * self.seconds
            if not self.started:
                self.started, self.begun = True, 0
                return
            yield *self.pending.popleft(), answer
        elif time.monotonic() > self.deadline:
            yield from self._fail(Failure(f"reading it did not finish within {PATIENCE * self.seconds:g} s", cause="time"))

    def stop(self) -> None:
        """End the process."""
        if self.process is not None:
            self.connection.close()
            self.process.kill()
            self.process.join()
            self.process = None

    def _send(self) -> None:
        if self.process is None:
            _start_server()
            self.started = False
            self.begun += 1
            self.connection, theirs = self.context.Pipe()
            process = self.context.Process(target=serve, args=(theirs, *self.order), daemon=True, name="fplbench reader")
            try:
                with _without_main():
                    process.start()
            except (EOFError, ConnectionError):  # the server has just ended
                self._begin_again()
                return
            self.process = process  # only now can it be killed, if Ctrl-C comes in between
            theirs.close()
        self.deadline = time.monotonic() + (PATIENCE * self.seconds if self.started else START_SECONDS)
        with suppress(OSError):  # if the process has just ended, `receive` notices
            self.connection.send([task for _, task in self.pending])

    def _begin_again(self) -> None:
        """Start the process once more, after it or the server was killed, most likely by the system.

        Raises:
            InputError: it was started twice.
        """
        if self.begun > 1:
            raise InputError(NOT_STARTED)
        time.sleep(0.1)  # a server that is killed closes its files a moment before it is seen to have ended
        self._send()

    def _fail(self, failure: Failure | None = None) -> Iterator[tuple[int, Any, Failure]]:
        ended = failure is None
        if failure is None:
            self.process.join(1)
            if self.process.exitcode == -signal.SIGPROF:
                failure = Failure(f"reading it took more than {self.seconds:g} s of CPU time", cause="time")
            else:
                failure = Failure("it crashed the decoder", cause="crash")
        self.stop()
        if not self.started:
            if not ended:
                raise InputError(NOT_STARTED)
            self._begin_again()
            return
        yield *self.pending.popleft(), failure
        if self.pending:
            self._send()


@contextmanager
def _without_main() -> Iterator[None]:
    """Hide the main module while a process is started.

    A new process imports the script of the caller to have its functions. Readers do not need them, and a script without
    `if __name__ == "__main__"` would run again.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main

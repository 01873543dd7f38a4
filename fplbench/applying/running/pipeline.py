"""Reading, denoising and writing at the same time."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

AHEAD = 2  # results that wait to be written


def run_pipeline(
    items: Iterator[Item],
    work: Callable[[Item], Result],
    finish: Callable[[Item, Result], None],
    parallel: int,
    begin: Callable[[], None] | None = None,
) -> None:
    """Pass items through two functions, in order, while the next items are read.

    One thread reads, `parallel` threads work, and one finishes. At most `parallel` + 5 items are held at the same time. After an
    exception in any of them, no further item is begun, and the exception is raised once what was begun has ended.

    Args:
        items: what is read; at most one item ahead.
        work: from an item to its result.
        finish: takes an item and its result.
        parallel: number of items that are worked on at the same time.
        begin: called in each thread that works, before its first item.
    """
    working: deque[tuple[Item, Future[Result]]] = deque()
    finishing: deque[Future[None]] = deque()

    def pass_on() -> None:
        item, result = working.popleft()
        finishing.append(writer.submit(finish, item, result.result()))
        while len(finishing) > AHEAD:
            finishing.popleft().result()

    with (
        ThreadPoolExecutor(1) as reader,
        ThreadPoolExecutor(parallel, initializer=begin) as workers,
        ThreadPoolExecutor(1) as writer,
    ):
        ahead: Future[Item | None] = reader.submit(next, items, None)
        while (item := ahead.result()) is not None:
            ahead = reader.submit(next, items, None)
            working.append((item, workers.submit(work, item)))
            if len(working) > parallel:
                pass_on()
        while working:
            pass_on()
        while finishing:
            finishing.popleft().result()

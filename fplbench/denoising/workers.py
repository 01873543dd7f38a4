"""Processes that share the images of a stack, for methods whose package cannot run in several threads of one process."""

import multiprocessing
import sys
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from functools import lru_cache
from types import ModuleType
from typing import Any


def submit(processes: int, function: Callable, *arguments: Any) -> Future:
    """Call a function in one of several processes, which start at the first call and stay until the program ends.

    Args:
        processes: number of processes.
        function: defined at the top level of a module.
        *arguments: its arguments; they are pickled.
    """
    # A new process imports the caller's script to have its functions. They are not needed here, and a script without
    # `if __name__ == "__main__"` would run again.
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        return _pool(processes).submit(function, *arguments)
    finally:
        sys.modules["__main__"] = main


@lru_cache(maxsize=1)
def _pool(processes: int) -> ProcessPoolExecutor:
    # Started afresh: a copy of a process that runs threads, as torch and OpenCV do, may hang.
    return ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn"))

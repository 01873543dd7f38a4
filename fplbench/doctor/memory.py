"""Failures for want of memory, which every library words in another way."""

import re

NOT_ENOUGH = "There is not enough memory. Run fewer jobs at once, with --cores or --resources mem_mb=..., or give the run more."
WORDS = re.compile(
    "MemoryError|DefaultCPUAllocator|bad_alloc|Unable to allocate|[Cc]annot allocate memory|Memory allocation|"
    "failed to map segment|can't start new thread"
)
"""Of Python, torch, C++, NumPy, the C library, OpenBLAS, the loader of libraries, and threads."""


def says_memory_ran_out(text: str) -> bool:
    """Whether an error, or the end of a log, is about memory."""
    return WORDS.search(text) is not None

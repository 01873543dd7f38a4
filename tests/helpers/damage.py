"""Damaged files, and a check that a data set reports each of them."""

import logging
import time

from fplbench.datasets import LOADERS, sample_dataset
from fplbench.datasets.scan import report, scan
from fplbench.errors import InputError
from tests.helpers.memory import peak_memory


def mutate(content: bytes, random, header: int) -> bytes:
    """Truncate a file, change bytes anywhere or in its header, or repeat a part of it."""
    match random.integers(4):
        case 0:
            return content[: random.integers(1, len(content))]
        case 1 | 2 as kind:
            damaged = bytearray(content)
            for place in random.integers(0, len(content) if kind == 1 else header, random.integers(1, 40)):
                damaged[place] = random.integers(256)
            return bytes(damaged)
        case _:
            start, stop = sorted(random.integers(0, len(content), 2))
            return content[:start] + content[start:stop] * 2 + content[start:]


def check(name, options, mutants, caplog, tmp_path, sampling):
    """Scan and sample. Every mutant is an image or is reported, within half a second per file and 1 GB of memory."""
    started = time.monotonic()
    with caplog.at_level(logging.INFO), peak_memory() as peak:
        found = scan(LOADERS[name], options, 2, None)
        report(found, options)
        try:
            sample_dataset(name, options, sampling, 1, tmp_path / "out", 2)
        except InputError as error:
            assert "asks for" in str(error)
    assert time.monotonic() - started < 30 + len(mutants) / 2
    assert 0 < peak() < 1000
    for path in mutants:
        relative = path.relative_to(options.root).as_posix()
        assert relative in found.headers or f": {relative}: " in caplog.text
    return found

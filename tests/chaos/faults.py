"""What single failures are made with."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def mounted(place: Path, *arguments: str) -> Iterator[None]:
    """Mount something at a folder for a while; skips where that is not possible."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a file system")
    done = subprocess.run(["mount", *arguments, str(place)], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def for_jobs(folder: Path, *commands: str) -> tuple[str, ...]:
    """Prefix for Snakemake, with which the shell of every job runs some commands first."""
    path = folder / "before.sh"
    path.write_text("\n".join(commands) + "\n")
    return ("env", f"BASH_ENV={path}")


def wait_for(condition: Callable[[], object], process: subprocess.Popen) -> None:
    """Wait until something holds, while a process runs."""
    while not condition():
        assert process.poll() is None, "the run ended before"
        time.sleep(0.005)

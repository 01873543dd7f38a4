"""Processes of a run that are killed at random moments, with the run started again each time, until it is done."""

import contextlib
import os
import re
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

import psutil

from tests.chaos.runs import LOCKED, Run

DEAD = (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)


@dataclass
class Kills:
    """What was killed, and how the run went on.

    Attributes:
        hit: number of killed processes of each kind: snakemake, or the command of the job.
        completions: how often the run came to its end.
        unlocked: how often a lock had to be removed.
        failures: how often Snakemake ended with a job that failed.
    """

    hit: Counter = field(default_factory=Counter)
    completions: int = 0
    unlocked: int = 0
    failures: int = 0

    def __str__(self) -> str:
        found = ", ".join(f"{name} {count}" for name, count in self.hit.most_common())
        return (
            f"{self.hit.total()} kills ({found}); {self.failures} runs ended with a failed job, {self.unlocked} locks were "
            f"removed; {self.completions} completions"
        )


def processes_of(run: subprocess.Popen) -> list[psutil.Process]:
    """All living processes of a run, whose leader may be dead: those of its session."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if os.getsid(process.pid) == run.pid and process.status() not in DEAD:
                found.append(process)
    return found


def kill_one(run: subprocess.Popen, random: Random) -> str | None:
    """Kill a random process of a run with SIGKILL; returns what it was, or None if none was left."""
    processes = processes_of(run)
    random.shuffle(processes)
    for process in processes:
        with contextlib.suppress(psutil.Error):
            kind = _kind(process.cmdline())
            if process.status() not in DEAD:
                process.kill()
                return kind
    return None


def _kind(words: list[str]) -> str:
    command = " ".join(words)
    if found := re.search(r"\bfplbench ([\w-]+)", command):
        return found[1]
    return "snakemake" if "-m snakemake" in command else "another process of a job"


def play(run: Run, rounds: int, random: Random, length: float, completed: Callable[[], None]) -> Kills:
    """Kill a process, start again, and so on; then let the run finish.

    Args:
        run: the run.
        rounds: number of kills; if the run completes before, it begins again from nothing.
        random: chooses moments and processes.
        length: seconds within which a process is killed.
        completed: called each time that the run is complete.
    """
    kills = Kills()
    while kills.hit.total() < rounds:
        process = run.start()
        hit = None
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=random.uniform(0, length))
        if process.poll() is None:
            hit = kill_one(process, random)
            kills.hit.update([hit] if hit else [])
        status = process.wait(timeout=600)  # a killed job fails, and the others go on; jobs of a killed Snakemake may live longer
        _judge(run, kills, status, hit, completed)
        if status == 0:
            run.clear()
    while (status := run.end()) != 0:
        _judge(run, kills, status, None, completed)
    _judge(run, kills, status, None, completed)
    return kills


def _judge(run: Run, kills: Kills, status: int, hit: str | None, completed: Callable[[], None]) -> None:
    """Take note of how Snakemake ended; whatever is not to be expected is an error."""
    said = run.said()
    assert "Traceback" not in said, said[-5000:]
    if status == 0:
        kills.completions += 1
        completed()
    elif hit == "snakemake" or status < 0:
        assert hit == "snakemake" and status == -9, (hit, status, said[-5000:])
    elif LOCKED in said:
        run.unlock()
        kills.unlocked += 1
    else:
        assert hit and "signal 9" in said, (hit, status, said[-5000:])
        kills.failures += 1


def timed(action: Callable[[], object]) -> float:
    """Seconds that something takes."""
    started = time.monotonic()
    action()
    return time.monotonic() - started

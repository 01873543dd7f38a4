"""Processes stand for Snakemake, the shell of a job, and the job."""

import os
import subprocess
import sys
import time

import psutil
import pytest

from fplbench.parent import RUN
from tests.helpers.programs import heed_interrupts

JOB = """
import sys, time
from fplbench.parent import end_with_snakemake
end_with_snakemake()

class Slow:
    def __del__(self):
        while True:
            time.sleep(0.01)

try:
    print("works", flush=True)
    {work}
except KeyboardInterrupt:
    print("tidies up", flush=True)
"""
SHELL = "import os, subprocess, sys; os.environ[{name!r}] = str({pid}); subprocess.run([sys.executable, '-c', {job!r}])"
SNAKEMAKE = "import subprocess, sys, time; subprocess.run([sys.executable, '-c', {shell!r}]); time.sleep({after})"


def start(work, pid="os.getppid()", after=0):
    """Start the three; returns the first one, which lives so many seconds after its job, and the last one once it is at work."""
    shell = SHELL.format(name=RUN, pid=pid, job=JOB.format(work=work))
    command = [sys.executable, "-c", SNAKEMAKE.format(shell=shell, after=after)]
    first = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=heed_interrupts)
    assert first.stdout.readline() == "works\n"
    return first, psutil.Process(first.pid).children(recursive=True)[-1]


@pytest.mark.parametrize(
    ("work", "said"),
    [
        ("while True: time.sleep(0.01)", "tidies up\n"),
        # Where Python would print the interrupt and go on.
        ("Slow(); [time.sleep(0.01) for _ in range(6000)]", "tidies up\n"),
        # A call that does not return to Python is not interrupted, and ends all the same.
        ("import threading; lock = threading.Lock(); lock.acquire(); lock.acquire(timeout=60)", ""),
    ],
)
@pytest.mark.slow
def test_a_job_ends_after_its_snakemake_was_killed_although_its_shell_lives_on(work, said):
    first, job = start(work)
    first.kill()
    job.wait(timeout=10)
    assert first.stdout.read().endswith(said)


@pytest.mark.slow
def test_a_job_ends_after_its_shell_was_killed_although_its_snakemake_lives_on():
    first, job = start("while True: time.sleep(0.01)", after=60)
    psutil.Process(first.pid).children()[0].kill()
    job.wait(timeout=10)
    assert first.poll() is None
    first.kill()
    assert first.stdout.read().endswith("tidies up\n")


@pytest.mark.slow
def test_a_job_heeds_no_process_but_one_that_started_it():
    other = subprocess.Popen(["sleep", "60"])
    first, job = start("time.sleep(0.7)", pid=other.pid)
    other.kill()
    other.wait()
    started = time.monotonic()
    first.wait(timeout=10)
    assert time.monotonic() - started > 0.3 and first.returncode == 0 and not job.is_running()


@pytest.mark.parametrize("value", [None, "", "no number", "1", str(os.getpid())], ids=["none", "empty", "word", "first", "own"])
def test_other_commands_start_as_ever(value, monkeypatch):
    monkeypatch.delenv(RUN, raising=False)
    environment = os.environ | ({} if value is None else {RUN: value})
    done = subprocess.run([sys.executable, "-c", JOB.format(work="pass")], env=environment, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("works\n", "")

"""Guarded reading: nothing that happens in a worker process affects the main process."""

import os
import signal
import subprocess
import sys
import threading
import time
from multiprocessing.forkserver import _forkserver as forkserver
from pathlib import Path

import pytest

from fplbench.datasets import workers
from fplbench.datasets.reader import Failure
from fplbench.datasets.workers import run_guarded
from fplbench.errors import InputError
from tests.helpers.programs import heed_interrupts


def task(order):
    """Do what the task says, in a worker process."""
    match order:
        case int():
            return order * order
        case "raise":
            raise KeyError("odd value")
        case "hang":
            time.sleep(60)
        case "nap":
            time.sleep(1)
            return "rested"
        case "spin":
            while True:
                pass
        case "large":
            return len(bytearray(workers.MEMORY * 2 // 3))
        case "die":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "swell":
            return len(bytearray(3_000_000_000))
        case "recurse":
            return task_forever()
        case "pid":
            return os.getpid()


def task_forever():
    return task_forever()


def run(tasks, threads=1, seconds=10.0, batch=1):
    return dict(run_guarded(task, tasks, threads, seconds, batch=batch))


@pytest.mark.parametrize("batch", [1, 4])
def test_every_task_is_answered_once(batch):
    assert run(range(25), threads=2, batch=batch) == {number: number**2 for number in range(25)}


def test_no_tasks_start_no_process():
    assert run([], threads=3) == {}


@pytest.mark.parametrize(
    ("order", "reason"),
    [("raise", "it is damaged"), ("die", "crashed"), ("swell", "memory"), ("recurse", "nested too deeply"), ("spin", "0.5 s")],
)
@pytest.mark.slow
def test_a_bad_task_fails_alone(order, reason):
    answers = run([1, 2, order, 3], batch=4, seconds=0.5)
    assert reason in answers.pop(2).reason
    assert answers == {0: 1, 1: 4, 3: 9}


@pytest.mark.slow
def test_a_task_may_wait_longer_than_it_may_compute():
    """A busy machine or a slow disk makes no image unreadable."""
    assert run(["nap"], seconds=0.3) == {0: "rested"}


@pytest.mark.slow
def test_a_task_that_is_stuck_is_given_up_in_time():
    started = time.monotonic()
    answers = run([1, "hang", 2], seconds=0.1, batch=3)
    assert answers[1] == Failure("reading it did not finish within 1 s", cause="time")
    assert (answers[0], answers[2]) == (1, 4) and time.monotonic() - started < 30


@pytest.mark.slow
def test_what_needs_all_the_memory_gets_it_alone():
    """Each of two processes has half of the memory; the task needs two thirds of it."""
    answers = run([1, "large", 2, "large", 3, "swell"], threads=2)
    assert answers[1] == answers[3] == workers.MEMORY * 2 // 3
    assert answers[5].cause == "memory" and (answers[0], answers[2], answers[4]) == (1, 4, 9)


def test_more_processes_than_the_memory_is_shared_by_are_not_started(monkeypatch):
    monkeypatch.setattr(workers, "PROCESSES", 2)
    assert len(set(run(["pid"] * 30, threads=64).values())) <= 2


SCRIPT = """
from fplbench.datasets import SamplingOptions, sample_dataset
from fplbench.datasets.loaders.lidc import LidcOptions
sampling = SamplingOptions(train=4, validation=2, test=2, size=16)
print(sample_dataset("lidc", LidcOptions(root={root!r}), sampling, 1, {out!r}, 2)["images_found"])
"""


@pytest.mark.parametrize("place", ["file", "stdin"])
@pytest.mark.slow
def test_a_script_needs_no_guard(lidc_root, tmp_path, place):
    text = SCRIPT.format(root=str(lidc_root), out=str(tmp_path / "out"))
    (tmp_path / "script.py").write_text(text)
    command = [sys.executable, str(tmp_path / "script.py")] if place == "file" else [sys.executable]
    result = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60)
    assert result.stdout == "72\n", result.stderr


@pytest.mark.parametrize("times", [1, 2])
def test_a_server_that_is_killed_is_started_once_more(monkeypatch, times):
    start, started = workers._start_server, []

    def start_and_kill():
        start()
        started.append(forkserver._forkserver_pid)
        if len(started) <= times:  # it takes the order, and answers no more
            os.kill(started[-1], signal.SIGSTOP)
            threading.Timer(0.3, os.kill, (started[-1], signal.SIGKILL)).start()

    monkeypatch.setattr(workers, "_start_server", start_and_kill)
    if times == 1:
        assert run(range(3)) == {0: 0, 1: 1, 2: 4}
    else:
        with pytest.raises(InputError, match="while it was starting"):
            run(range(3))
    assert len(set(started)) == 2


def test_a_process_that_cannot_start_is_a_sentence(monkeypatch):
    monkeypatch.setattr(workers, "serve", task)  # ends at once, with the wrong arguments
    with pytest.raises(InputError, match="while it was starting"):
        run([1])


@pytest.mark.parametrize(
    ("root", "source", "detail", "said"),
    [
        ("t", "a.nii.gz", "File t/a.nii.gz is not a gzip file", "the file is not a gzip file"),
        (".", "in.nii", "in.nii is at odds with in.nii.gz", "the file is at odds with in.nii.gz"),
        ("/data/x", "p/1.dcm", "Cannot open /data/x/p/1.dcm: 1 of 2 parts", "Cannot open the file: 1 of 2 parts"),
        ("/data/x", "p/1", "1 byte of p/1, below /data/x, is wrong", "1 byte of the file, below the file, is wrong"),
        ("t", "t", "not a file", "not a file"),
    ],
)
def test_only_whole_paths_are_taken_out_of_a_message(root, source, detail, said):
    assert Failure("it is damaged", detail).words(Path(root), source, private=False) == f"it is damaged ({said})"


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.3, 1.0])
def test_an_interrupt_of_all_processes_is_said_by_the_main_process_alone(tmp_path, seconds):
    """Ctrl-C reaches the server that forks the workers, too: while it imports libraries, and when they are at work."""
    script = (
        "import tests.datasets.test_workers as own, sys\n"
        "print('ready', flush=True)\n"
        "try:\n    own.run(['nap'] * 60, threads=2)\n"
        "except KeyboardInterrupt:\n    print('stopped')"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", script], start_new_session=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=heed_interrupts,
    )  # fmt: skip
    assert run.stdout is not None and run.stdout.readline() == "ready\n"
    time.sleep(seconds)
    os.killpg(run.pid, signal.SIGINT)
    assert run.communicate(timeout=60) == ("stopped\n", "")


def test_processes_end_with_the_caller():
    answers = run_guarded(task, ["pid", *range(5)], 1, 10)
    _, pid = next(answers)
    answers.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)

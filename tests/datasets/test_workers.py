"""Reading in processes of their own: nothing that a file does reaches the program."""

import os
import signal
import time

import pytest

from fplbench.datasets.workers import Failure, run_guarded


def task(order):
    """Do what the task says, in a worker process."""
    match order:
        case int():
            return order * order
        case "raise":
            raise KeyError("odd value")
        case "hang":
            time.sleep(60)
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
    [("raise", "KeyError: 'odd value'"), ("die", "crashed"), ("swell", "memory"), ("recurse", "RecursionError")],
)
def test_a_bad_task_fails_alone(order, reason):
    answers = run([1, 2, order, 3], batch=4)
    assert reason in answers.pop(2).reason
    assert answers == {0: 1, 1: 4, 3: 9}


def test_a_task_that_hangs_is_given_up_in_time():
    started = time.monotonic()
    answers = run([1, "hang", 2], seconds=0.5, batch=3)
    assert answers[1] == Failure("it took longer than 0.5 s")
    assert (answers[0], answers[2]) == (1, 4) and time.monotonic() - started < 30


def test_processes_end_with_the_caller():
    answers = run_guarded(task, ["pid", *range(5)], 1, 10)
    _, pid = next(answers)
    answers.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)

"""Reading, denoising and writing at the same time."""

import threading
import time

import pytest

from fplbench.applying.running.journal import Journal
from fplbench.applying.running.pipeline import AHEAD, run_pipeline


@pytest.mark.parametrize("parallel", [1, 4])
def test_results_are_finished_in_order_and_few_items_are_held(parallel):
    held, most, finished, lock = 0, 0, [], threading.Lock()

    def items():
        nonlocal held, most
        for number in range(40):
            with lock:
                held += 1
                most = max(most, held)
            yield number

    def work(number):
        time.sleep(0.001 * (number % 3))
        return number**2

    def finish(number, result):
        nonlocal held
        assert result == number**2
        finished.append(number)
        with lock:
            held -= 1

    run_pipeline(items(), work, finish, parallel)
    assert finished == list(range(40))
    assert most <= parallel + AHEAD + 3


def test_the_next_item_is_read_while_one_is_worked_on():
    reading = threading.Event()

    def items():
        yield 1
        reading.set()
        yield 2

    run_pipeline(items(), lambda number: reading.wait(5), lambda number, read: pytest.fail("not read") if not read else None, 1)


@pytest.mark.parametrize("stage", ["read", "work", "finish"])
def test_an_exception_of_any_stage_ends_the_pipeline(stage):
    begun = []

    def items():
        for number in range(1000):
            begun.append(number)
            if stage == "read" and number == 5:
                raise RuntimeError("read")
            yield number

    def fail(here):
        def function(number, *_):
            if stage == here and number == 5:
                raise RuntimeError(here)

        return function

    with pytest.raises(RuntimeError, match=stage):
        run_pipeline(items(), fail("work"), fail("finish"), 2)
    assert len(begun) < 20


def test_a_journal_forgets_a_line_that_was_interrupted(tmp_path):
    journal = Journal(tmp_path)
    assert journal.facts() is None and journal.slices() == {}
    for number in (3, 1):
        journal.add({"number": number, "mean": 0.5})
    with open(tmp_path / "slices.jsonl", "ab") as file:
        file.write(b'{"number": 2, "me')
    assert sorted(Journal(tmp_path).slices()) == [1, 3]
    journal.add({"number": 2, "mean": 1.5})
    assert Journal(tmp_path).slices()[2] == {"number": 2, "mean": 1.5}


def test_files_are_handed_over_once_even_if_that_is_interrupted(tmp_path):
    journal = Journal(tmp_path / "work")
    for name in ("a", "deep/b", "left over"):
        (journal.files / name).parent.mkdir(parents=True, exist_ok=True)
        (journal.files / name).write_text(name)
    (tmp_path / "out").mkdir()
    (journal.files / "a").replace(tmp_path / "out/a")
    journal.hand_over(["a", "deep/b"], tmp_path / "out")
    journal.hand_over(["a", "deep/b"], tmp_path / "out")
    assert [(tmp_path / "out" / name).read_text() for name in ("a", "deep/b")] == ["a", "deep/b"]
    assert not journal.files.exists()

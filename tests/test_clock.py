import os
import time

from fplbench.clock import bring_back


def set_time(path, seconds):
    path.parent.mkdir(exist_ok=True)
    path.touch()
    os.utime(path, (seconds, seconds))


def test_files_from_the_future_become_present_and_keep_their_order(tmp_path):
    now = time.time()
    hour = 3600
    for name, ahead in {"old": -hour, "a/first": hour, "second": hour + 1, "twin": hour + 1, "a/third": hour + 2}.items():
        set_time(tmp_path / name, now + ahead)
    before = (tmp_path / "old").stat().st_mtime_ns
    assert bring_back(tmp_path) == 4
    times = [(tmp_path / name).stat().st_mtime_ns for name in ("old", "a/first", "second", "twin", "a/third")]
    assert times[0] == before < times[1] < times[2] == times[3] < times[4] <= time.time_ns()
    assert now - 1 < times[1] / 1e9  # not an hour of before
    assert bring_back(tmp_path) == 0


def test_a_folder_that_is_not_there_yet_has_none(tmp_path):
    assert bring_back(tmp_path / "none") == 0

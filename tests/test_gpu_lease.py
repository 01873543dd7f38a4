"""Leases of made-up GPUs, taken by real processes that are killed."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from fplbench import gpu_lease
from fplbench.device import choose_device
from fplbench.errors import InputError
from fplbench.gpu_lease import DEVICES, HELD, SHARE, VISIBLE, lock_file, take, usable_gpus, visible

# Takes a lease, says which, runs what it is told to, and lives until it is killed.
HOLDER = """
import logging, os, subprocess, sys, time
from fplbench import gpu_lease
from fplbench.device import choose_device
logging.basicConfig(stream=sys.stderr, format="%(message)s")
gpu_lease.POLL = 0.02
lease = gpu_lease.lease_gpu()
exec(sys.argv[1])
print(os.environ.get("CUDA_VISIBLE_DEVICES"), lease and lease.path.name, flush=True)
time.sleep(600)
"""
FORK = "child = os.fork()\nif child == 0: time.sleep(600)\nprint(child, flush=True)"
PROGRAM = "print(subprocess.Popen(['sleep', '600'], close_fds=False).pid, flush=True)"

# Takes and gives back a lease again and again; a marker that only one process at a time can make shows if two have the same.
TURNS = """
import os, sys
from pathlib import Path
from fplbench import gpu_lease
gpu_lease.POLL = 0.001
folder, turns = Path(sys.argv[1]), int(sys.argv[2])
for _ in range(turns):
    lease = gpu_lease.take(["0", "1"], 2, folder)
    marker = folder / f"{lease.path.name}.used"
    os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
    marker.unlink()
    lease.release()
"""


@contextmanager
def environment(folder: Path, **values: str):
    """The environment of a process that takes leases, with its lock files in a folder; nothing of this process's own leases."""
    kept = {name: value for name, value in os.environ.items() if name not in (SHARE, DEVICES, HELD, VISIBLE, "SLURM_JOB_ID")}
    yield {**kept, "TMPDIR": str(folder), SHARE: "1", **values}


@pytest.fixture
def start(tmp_path):
    """Starts processes that hold leases, which are killed at the end."""
    started = []

    def one(then="", **values):
        with environment(tmp_path, **{DEVICES: "a,b", **values}) as env:
            process = subprocess.Popen(
                [sys.executable, "-c", HOLDER, then], env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
        started.append(process)
        return process

    yield one
    for process in started:
        process.kill()
        process.communicate()


def said(process) -> list[str]:
    """The next line that a process prints, in words; none if there is none within a minute."""
    limit = threading.Timer(60, process.kill)
    limit.start()
    words = process.stdout.readline().split()
    limit.cancel()
    return words


@pytest.mark.slow
def test_four_places_go_to_four_processes_and_that_of_a_killed_one_to_a_waiting_one(start):
    """Each GPU gets one process before any gets two. The fifth and the sixth process say that they wait, in one line."""
    places = {}
    for _ in range(4):
        process = start(**{SHARE: "2"})
        places[process] = tuple(said(process))
    assert list(places.values()) == [("a", "gpu-a-0.lock"), ("b", "gpu-b-0.lock"), ("a", "gpu-a-1.lock"), ("b", "gpu-b-1.lock")]
    waiting = [start(**{SHARE: "2"}) for _ in range(2)]
    first = next(iter(places))
    for process in waiting:
        assert f"a by process {first.pid}" in process.stderr.readline()
    for killed in list(places)[1:3]:
        killed.kill()
    time.sleep(0.3)
    found = {tuple(said(process)) for process in waiting}
    assert found == {places[process] for process in list(places)[1:3]}
    for process in waiting:
        process.kill()
        assert process.communicate()[1] == ""  # no further line


@pytest.mark.slow
@pytest.mark.parametrize("child", [FORK, PROGRAM], ids=["fork", "program"])
def test_children_that_outlive_a_killed_process_do_not_hold_its_lease(start, child):
    holder = start(child, **{DEVICES: "a"})
    number = int(said(holder)[0])
    place = said(holder)
    try:
        holder.kill()
        holder.wait()
        os.kill(number, 0)  # the child lives
        assert said(start(**{DEVICES: "a"})) == place
    finally:
        os.kill(number, signal.SIGKILL)


@pytest.mark.slow
def test_a_process_that_a_holder_starts_uses_its_gpu_without_a_lease(start):
    """Else it would wait for the process that waits for it."""
    inner = "import os\nfrom fplbench.gpu_lease import *\nprint(lease_gpu(), os.environ['CUDA_VISIBLE_DEVICES'], flush=True)"
    holder = start(f"subprocess.run([sys.executable, '-c', {inner!r}], check=True)", **{DEVICES: "a"})
    assert said(holder) == ["None", "a"]


@pytest.mark.slow
def test_no_two_processes_ever_have_the_same_place(tmp_path):
    """Eight processes and four places; each process fails if the marker of its place is there already."""
    processes = [subprocess.Popen([sys.executable, "-c", TURNS, str(tmp_path), "100"]) for _ in range(8)]
    assert [process.wait() for process in processes] == [0] * 8
    assert len(list(tmp_path.glob("*.lock"))) == 4


def test_jobs_of_slurm_with_a_gpu_of_their_own_do_not_wait_for_each_other(tmp_path, monkeypatch):
    """All of them may call theirs 0. Processes of the same job share what the job has."""
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    first = take(["0"], 1, tmp_path)
    assert gpu_lease._lock("0", lock_file(tmp_path, "0", 0)) is None
    monkeypatch.setenv("SLURM_JOB_ID", "8")
    second = take(["0"], 1, tmp_path)
    assert first.path != second.path
    first.release()
    second.release()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, ["0", "1", "2"]),
        ("2,0", ["2", "0"]),
        (" 1 , 2", ["1", "2"]),
        ("", []),
        ("-1", []),
        ("1,-1,2", ["1"]),  # as CUDA reads it: devices after the first that is none are not visible
        ("NoDevFiles", []),  # what Slurm writes for a job without a GPU
        ("GPU-8932f937,MIG-1c2d", ["GPU-8932f937", "MIG-1c2d"]),
    ],
)
def test_the_gpus_are_those_that_cuda_sees(text, expected, monkeypatch):
    assert visible(text, 3) == expected
    monkeypatch.delenv(DEVICES, raising=False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: len(expected))
    monkeypatch.setenv(VISIBLE, text) if text is not None else monkeypatch.delenv(VISIBLE, raising=False)
    assert usable_gpus() == expected


def test_a_machine_without_a_gpu_has_none_whatever_is_visible(monkeypatch):
    monkeypatch.delenv(DEVICES, raising=False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setenv(VISIBLE, "0,1")
    assert usable_gpus() == []


@pytest.fixture
def this_process(tmp_path, monkeypatch):
    """Makes this process one that takes leases of made-up GPUs; everything is undone afterwards."""
    leases = []
    monkeypatch.setattr(gpu_lease, "_leases", leases)
    monkeypatch.setattr(gpu_lease.tempfile, "tempdir", str(tmp_path))
    for name in (HELD, VISIBLE, "SLURM_JOB_ID"):
        monkeypatch.setenv(name, "")  # so that it is put back
        monkeypatch.delenv(name)
    monkeypatch.setenv(DEVICES, "a,b")
    monkeypatch.setenv(SHARE, "1")
    yield leases
    for lease in leases:
        lease.release()


def test_a_process_that_is_to_use_the_cpu_takes_no_lease(this_process):
    choose_device("cpu")
    assert not this_process and VISIBLE not in os.environ


def test_without_being_asked_for_no_process_takes_a_lease(this_process, monkeypatch):
    monkeypatch.delenv(SHARE)
    choose_device("auto")
    assert not this_process and VISIBLE not in os.environ


def test_a_process_takes_one_lease_before_cuda_is_asked_for_anything(this_process, monkeypatch):
    """To ask whether there is a GPU initialises CUDA, which settles what is visible."""
    seen = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: seen.append(os.environ.get(VISIBLE)))
    choose_device("auto")
    choose_device("auto")
    assert [lease.path.name for lease in this_process] == ["gpu-a-0.lock"]
    assert set(seen) == {"a"}


@pytest.mark.parametrize(("share", "expected"), [("1", []), ("4", [0.25])])
def test_a_process_that_shares_a_gpu_may_have_its_part_of_the_memory(this_process, monkeypatch, share, expected):
    fractions = []
    monkeypatch.setenv(SHARE, share)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "set_per_process_memory_fraction", fractions.append)
    assert choose_device("auto").type == "cuda"
    assert fractions == expected


def test_a_lock_file_that_is_removed_in_between_is_no_lease(tmp_path, monkeypatch):
    """A cleaner of temporary files may remove it after it was opened; another process then locks a new one."""
    path, flock = lock_file(tmp_path, "0", 0), gpu_lease.fcntl.flock

    def remove_first(descriptor, how):
        path.unlink()
        flock(descriptor, how)

    monkeypatch.setattr(gpu_lease.fcntl, "flock", remove_first)
    assert gpu_lease._lock("0", path) is None


@pytest.mark.parametrize("kind", ["link", "file"])
def test_a_folder_that_someone_else_may_have_made_is_refused(tmp_path, kind):
    folder = tmp_path / "leases"
    folder.symlink_to(tmp_path) if kind == "link" else folder.write_text("")
    with pytest.raises(InputError, match="is not a folder of yours: remove it, or set TMPDIR"):
        take(["0"], 1, folder)


@pytest.mark.parametrize("text", ["0", "-2", "two", "1.5"])
def test_a_share_that_is_no_number_is_refused(monkeypatch, text):
    monkeypatch.setenv(SHARE, text)
    with pytest.raises(InputError, match=f"{SHARE} is '{text}': it must be a whole number of at least 1"):
        gpu_lease.lease_gpu()


def test_a_waiting_process_says_so_once(tmp_path, monkeypatch, caplog):
    held = take(["0"], 1, tmp_path)
    looks = []

    def sleep(_):
        looks.append(None)
        if len(looks) == 3:
            held.release()

    monkeypatch.setattr(gpu_lease.time, "sleep", sleep)
    with caplog.at_level(logging.WARNING):
        take(["0"], 1, tmp_path).release()
    assert len(looks) == 3
    assert [record.message for record in caplog.records] == [
        f"All GPUs are in use (0 by process {os.getpid()}): waiting until one is free."
    ]

"""Single failures: each ends in a sentence that says what to do, and the next run goes on from there to the same scores."""

import os
import shutil
import time

import pytest

from fplbench.doctor.memory import NOT_ENOUGH
from fplbench.doctor.screen import DISK_FULL
from fplbench.files import seal_path
from tests.chaos.faults import for_jobs, mounted, wait_for
from tests.chaos.runs import LOCKED
from tests.helpers.files import flip

pytestmark = pytest.mark.chaos

HOUR = 3600 * 10**9  # nanoseconds

MADE = {"sample_images", "synthesize_noise", "insert_lesions", "add_noise_to_inserted", "train_restoration",
        "explain_clean_images", "train_fpl"}  # fmt: skip
"""The rules of the jobs that a run which is half done has done."""


def goes_on(run, undisturbed, but=()):
    """Finish a run; of what was half done, only some rules may run again."""
    jobs = run.finish()
    assert not MADE & jobs.keys() - set(but), jobs
    assert set(jobs.values()) <= {1}
    assert run.scores() == undisturbed.scores()
    assert run.finish() == {}


def test_a_full_disk_is_named_and_the_run_goes_on_once_there_is_room(half, undisturbed):
    """The disk fills up after the check of free space, which the run has passed."""
    saved = half.folder / "saved"
    half.out.rename(saved)
    half.out.mkdir()
    with mounted(half.out, "-t", "tmpfs", "-o", "size=600M", "tmpfs"):
        shutil.copytree(saved, half.out, dirs_exist_ok=True)
        process = half.start()
        wait_for(lambda: "Denoising" in half.said() or any((half.out / "logs").glob("denoise/**/*.log")), process)
        ballast = half.out / "ballast"
        with pytest.raises(OSError, match="No space left"), open(ballast, "wb", buffering=0) as stream:
            while True:
                stream.write(bytes(4096))
        assert process.wait(timeout=600) != 0
        said = half.said()
        assert "Traceback" not in said and DISK_FULL in said, said[-5000:]
        ballast.unlink()
        goes_on(half, undisturbed)


def test_read_only_results_are_named(half, undisturbed):
    with mounted(half.out, "--bind", "--options", "ro", str(half.out)):
        said = half.fail()
        assert "Read-only file system" in said, said[-5000:]
    goes_on(half, undisturbed)


def test_an_input_that_vanishes_while_a_job_waits_for_it_is_named_and_made_again(half, undisturbed):
    missing = half.out / "data" / "lits" / "test.npy"
    process = half.start()
    wait_for(lambda: any((half.out / "logs").glob("denoise/**/*.log")), process)
    missing.unlink()
    assert process.wait(timeout=600) != 0
    said = half.said()
    assert "Traceback" not in said and "out/data/lits/test.npy" in said, said[-5000:]
    # What derives from it derives from the same images, but who could know that.
    goes_on(half, undisturbed, but=MADE)


@pytest.mark.parametrize(
    ("name", "again"),
    [
        ("data/lits/test.npy", MADE),
        ("noisy/lits/gaussian/test.npy", {"synthesize_noise", "train_fpl"}),
        ("models/lits/gaussian/fpl.safetensors", {"train_fpl"}),
    ],
)
def test_a_flipped_bit_is_found_before_the_file_is_used(half, undisturbed, name, again):
    path = half.out / name
    flip(path, place=2 * path.stat().st_size // 3)
    said = half.fail()
    assert f"out/{name}" in said and "has changed since it was written" in said, said[-5000:]
    seen = path.stat().st_mtime_ns
    half.fail()  # it is not used the second time either
    assert path.stat().st_mtime_ns == seen and seal_path(path).exists()
    path.unlink()  # as the sentence says
    goes_on(half, undisturbed, but=again)


def test_a_second_snakemake_in_the_folder_is_told_so_and_disturbs_nothing(half, undisturbed):
    first = half.start()
    wait_for(lambda: any((half.folder / ".snakemake" / "locks").glob("*")), first)
    screen = half.folder / "screen"
    screen.rename(half.folder / "first")
    said = half.fail()
    assert LOCKED in said and "Another snakemake is at work" in said, said
    assert first.wait(timeout=600) == 0, (half.folder / "first").read_text()[-5000:]
    goes_on(half, undisturbed)


def test_files_from_before_the_clock_was_set_back_by_an_hour_are_used(half, undisturbed):
    for path in half.out.rglob("*"):
        if path.is_file():
            os.utime(path, ns=(path.stat().st_mtime_ns + HOUR,) * 2)
    assert half.finish(targets=("out/cost/lits/gaussian/filters.csv",)).keys() == {"denoise_filters_inserted"}
    assert "must have gone back" in half.said()
    goes_on(half, undisturbed)
    assert max(path.stat().st_mtime for path in half.out.rglob("*")) <= time.time()


@pytest.mark.skipif(shutil.which("faketime") is None, reason="faketime is missing: apt-get install faketime")
def test_a_clock_that_jumps_back_by_an_hour_while_jobs_run_changes_nothing(half, undisturbed, tmp_path):
    """The jobs see it, and not Snakemake, whose pauses would take an hour more: faketime sets back every clock."""
    clock = tmp_path / "clock"
    clock.write_text("+0")
    fake = {"LD_PRELOAD": "/usr/$LIB/faketime/libfaketimeMT.so.1", "FAKETIME_TIMESTAMP_FILE": clock, "FAKETIME_NO_CACHE": 1,
            "FAKETIME_DONT_FAKE_MONOTONIC": 1, "NO_FAKE_STAT": 1}  # fmt: skip
    lines = [f"export {name}='{value}'" for name, value in fake.items()]
    process = half.start(prefix=for_jobs(tmp_path, *lines, "date >> seen"))
    wait_for(lambda: any((half.out / "logs").glob("denoise/**/*.log")), process)
    clock.write_text("-1h")
    assert process.wait(timeout=600) == 0, half.said()[-5000:]
    hours = [line.split()[3].split(":")[0] for line in (half.folder / "seen").read_text().splitlines()]
    assert len(set(hours)) > 1, hours
    goes_on(half, undisturbed)


def test_too_little_memory_is_named(half, undisturbed, tmp_path):
    """The jobs have so many kB of addresses, of which the filters need less, and torch needs more."""
    said = half.fail(prefix=for_jobs(tmp_path, "ulimit -v 500000"))
    assert NOT_ENOUGH in said, said[-5000:]
    goes_on(half, undisturbed)

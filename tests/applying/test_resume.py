"""A run that is interrupted and continued gives what an uninterrupted one gives."""

import errno
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from fplbench.applying.journal import Journal
from fplbench.applying.options import ApplyOptions
from fplbench.applying.run import apply_model
from fplbench.errors import InputError
from tests.applying.scans import contents, head, write_nifti, write_series

pytestmark = pytest.mark.slow
OPTIONS = ApplyOptions(window=(-1000, 400), residual=True, options={"strength": 4})


@pytest.fixture
def tree(tmp_path):
    """A series and two volumes, one of which is stored along another axis."""
    write_series(tmp_path / "in/series", head(slices=12))
    write_nifti(tmp_path / "in/axial.nii.gz", head(slices=12, seed=1))
    write_nifti(tmp_path / "in/sagittal.nii", head(slices=12, seed=2), axes="SPL")
    return tmp_path / "in"


def lines(partial):
    return sum(path.read_bytes().count(b"\n") for path in partial.glob("work/*/slices.jsonl"))


@pytest.mark.parametrize("after", [1, 10, 20, 35])
def test_after_a_kill_the_same_command_continues_and_nothing_differs(tmp_path, tree, after):
    arguments = ["nlm", tree, tmp_path / "out", "--window", "-1000", "400", "--residual", "--options", '{"strength": 4}']
    # A pause at each slice, so that the kill comes in the middle.
    program = (
        "import time; from fplbench.applying import journal; add = journal.Journal.add\n"
        "journal.Journal.add = lambda self, found: (add(self, found), time.sleep(0.05))\n"
        "from fplbench.cli import main; main()"
    )
    run = subprocess.Popen([sys.executable, "-c", program, "apply", *map(str, arguments)], start_new_session=True)
    limit = time.monotonic() + 60
    while lines(tmp_path / "out.partial") < after and run.poll() is None and time.monotonic() < limit:
        time.sleep(0.005)
    assert run.poll() is None, "it ended before it was killed"
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    done = lines(tmp_path / "out.partial")
    assert after <= done < 36 and not (tmp_path / "out").exists()
    summary = apply_model("nlm", tree, tmp_path / "out", OPTIONS)
    assert summary.slices == 36 - done
    apply_model("nlm", tree, tmp_path / "whole", OPTIONS)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out", "whole"]


def test_no_space_leaves_nothing_but_what_is_finished(tmp_path, tree, monkeypatch):
    written, add = [], Journal.add

    def full(self, statistics):
        if len(written) == 15:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "slices.jsonl")
        written.append(statistics["number"])
        add(self, statistics)

    monkeypatch.setattr(Journal, "add", full)
    with pytest.raises(InputError, match=r"There is no space left to write slices.jsonl: .* is kept in .*out.partial"):
        apply_model("nlm", tree, tmp_path / "out", OPTIONS)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out.partial"]
    monkeypatch.setattr(Journal, "add", add)
    assert apply_model("nlm", tree, tmp_path / "out", OPTIONS).slices == 36 - 15
    apply_model("nlm", tree, tmp_path / "whole", OPTIONS)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_another_command_does_not_continue_it(tmp_path, tree, monkeypatch):
    def stop(self, statistics):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Journal, "add", stop)
        with pytest.raises(KeyboardInterrupt):
            apply_model("nlm", tree, tmp_path / "out", OPTIONS)
    before = contents(tmp_path / "out.partial")
    for model, changed in [("median_filter", {"options": {}}), ("nlm", {"window": (-900, 400)}), ("nlm", {"residual": False})]:
        with pytest.raises(InputError, match="that of an interrupted run with another input, model or options"):
            apply_model(model, tree, tmp_path / "out", OPTIONS.model_copy(update=changed))
    write_nifti(tree / "more.nii", head())
    with pytest.raises(InputError, match="another input"):
        apply_model("nlm", tree, tmp_path / "out", OPTIONS)
    (tree / "more.nii").unlink()
    assert contents(tmp_path / "out.partial") == before
    assert apply_model("nlm", tree, tmp_path / "out", OPTIONS).slices == 36


def test_an_original_that_changes_between_is_another_input(tmp_path, monkeypatch):
    source = write_nifti(tmp_path / "a.nii", head())

    def stop(self, statistics):
        raise OSError(errno.EDQUOT, "Disk quota exceeded")

    with monkeypatch.context() as patched:
        patched.setattr(Journal, "add", stop)
        with pytest.raises(InputError, match="There is no space left"):
            apply_model("nlm", source, tmp_path / "b.nii", OPTIONS)
    write_nifti(source, np.roll(head(), 1, axis=0))
    with pytest.raises(InputError, match="another input"):
        apply_model("nlm", source, tmp_path / "b.nii", OPTIONS)

"""A run that is interrupted and continued gives what an uninterrupted one gives."""

import errno
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pydicom
import pytest
import torch
from typer.testing import CliRunner

from fplbench.applying.nifti.scan import NiftiScan
from fplbench.applying.options import ApplyOptions
from fplbench.applying.running import run as running
from fplbench.applying.running.journal import Journal
from fplbench.applying.running.outputs import Output
from fplbench.applying.running.run import apply_model
from fplbench.cli import app
from fplbench.errors import InputError
from fplbench.networks import UNet, weights
from tests.applying.scans import contents, head, write_nifti, write_series
from tests.helpers.programs import heed_interrupts

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


def interrupt(patched, after, error):
    """Let a run end with an error once some slices are finished."""
    finished, add = [], Journal.add

    def add_or_raise(self, statistics):
        if len(finished) == after:
            raise error
        finished.append(statistics)
        add(self, statistics)

    patched.setattr(Journal, "add", add_or_raise)


@pytest.mark.parametrize("after", [1, 10, 20, 35])
def test_after_a_kill_the_same_command_continues_and_nothing_differs(tmp_path, tree, after):
    arguments = ["nlm", tree, tmp_path / "out", "--window", "-1000", "400", "--residual", "--options", '{"strength": 4}']
    # A pause at each slice, so that the kill comes in the middle.
    program = (
        "import time; from fplbench.applying.running import journal; add = journal.Journal.add\n"
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


@pytest.mark.parametrize(
    ("step", "again"),
    [("rename, 1", 0), ("rename, 2", 0), ("rmtree, 1", 6), ("rmtree, 2", 6), ("rmdir, 1", 6)],
)
def test_a_kill_while_the_output_gets_its_name_loses_nothing(tmp_path, step, again):
    """Killed before the second renaming, to its name, the output is completed; after it, the same command makes it anew."""
    write_series(tmp_path / "in", head())
    arguments = ["median_filter", tmp_path / "in", tmp_path / "out", "--window", "-1000", "400", "--overwrite"]
    apply_model("median_filter", tmp_path / "in", tmp_path / "whole", ApplyOptions(window=(-1000, 400)))
    apply_model("median_filter", tmp_path / "in", tmp_path / "out", ApplyOptions(window=(-900, 400)))
    program = f"""
import os, shutil
from pathlib import Path
from fplbench.applying.running.outputs import Output

def killed(function, wanted):
    calls = []
    def call(*arguments, **settings):
        calls.append(arguments)
        if len(calls) == wanted:
            os._exit(9)
        return function(*arguments, **settings)
    return call

finish = Output.finish
def patched(self, record):
    name, number = {step.split(", ")[0]!r}, {int(step.split(", ")[1])}
    owner = shutil if name == "rmtree" else Path
    setattr(owner, name, killed(getattr(owner, name), number))
    return finish(self, record)
Output.finish = patched
from fplbench.cli import main
main()
"""
    run = subprocess.run([sys.executable, "-c", program, "apply", *map(str, arguments)], capture_output=True, text=True)
    assert run.returncode == 9, run.stderr
    assert (tmp_path / "out.partial").exists()
    options = ApplyOptions(window=(-1000, 400), overwrite=True)
    assert apply_model("median_filter", tmp_path / "in", tmp_path / "out", options).slices == again
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out", "whole"]


def test_an_output_that_has_lost_a_file_gets_no_name(tmp_path, monkeypatch):
    write_series(tmp_path / "in", head())
    with monkeypatch.context() as patched, pytest.raises(InputError, match=r"00.\.dcm has disappeared since it was written"):
        hand_over = Journal.hand_over

        def lose(self, paths, target):
            hand_over(self, paths, target)
            next(target.rglob("*.dcm")).unlink()

        patched.setattr(Journal, "hand_over", lose)
        apply_model("nlm", tmp_path / "in", tmp_path / "out", OPTIONS)
    assert not (tmp_path / "out").exists()


def test_a_scan_that_could_not_be_read_is_denoised_whole_when_it_can(tmp_path, tree, monkeypatch):
    """The first run leaves out a volume after three slices and is interrupted in the next scan."""
    options = OPTIONS.model_copy(update={"skip_unreadable": True})
    planes = NiftiScan.planes

    def slow(self, numbers):
        for place, plane in enumerate(planes(self, numbers)):
            if self.facts.name == "axial" and len(numbers) == 12 and place == 6:
                raise InputError("axial.nii.gz cannot be read: it takes more than 60 s.")
            yield plane

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(NiftiScan, "planes", slow)
        interrupt(patched, 10, KeyboardInterrupt())
        apply_model("nlm", tree, tmp_path / "out", options)
    apply_model("nlm", tree, tmp_path / "out", options)
    apply_model("nlm", tree, tmp_path / "whole", options)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_maps_of_two_restoration_networks_are_different_images(tmp_path):
    """DICOM identifies an image by its UID, so what differs must not share one."""
    pytest.importorskip("highdicom")
    write_series(tmp_path / "in", head(slices=1))
    for seed in (0, 1):
        torch.manual_seed(seed)
        weights.save(UNet(width=2), tmp_path / f"{seed}.safetensors", {"output": "image"})
        options = OPTIONS.model_copy(update={"features": True, "restoration": tmp_path / f"{seed}.safetensors"})
        apply_model("nlm", tmp_path / "in", tmp_path / f"out-{seed}", options)
    first, second = (
        {path.parent.name: pydicom.dcmread(path) for path in (tmp_path / f"out-{seed}").rglob("*.dcm")} for seed in (0, 1)
    )
    same = {kind: file.SOPInstanceUID == second[kind].SOPInstanceUID for kind, file in first.items()}
    assert same == {"denoised": True, "residual": True, "features": False}


@pytest.fixture
def restoration(tmp_path_factory):
    torch.manual_seed(0)
    weights.save(UNet(width=2), path := tmp_path_factory.mktemp("model") / "restoration.safetensors", {"output": "image"})
    return path


def test_no_space_leaves_nothing_but_what_is_finished(tmp_path, tree, restoration, monkeypatch):
    options = OPTIONS.model_copy(update={"features": True, "restoration": restoration})
    with (
        monkeypatch.context() as patched,
        pytest.raises(InputError, match=r"There is no space left to write slices.jsonl: .* is kept in .*out.partial"),
    ):
        interrupt(patched, 15, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "slices.jsonl"))
        apply_model("nlm", tree, tmp_path / "out", options)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out.partial"]
    assert apply_model("nlm", tree, tmp_path / "out", options).slices == 36 - 15
    apply_model("nlm", tree, tmp_path / "whole", options)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")
    found = {path for path in contents(tmp_path / "out") if path.startswith("features")}
    assert {path for path in found if path.endswith("nii.gz")} == {"features/axial.nii.gz", "features/sagittal.nii.gz"}
    assert len(found) == 3


def test_another_command_does_not_continue_it(tmp_path, tree, monkeypatch):
    with monkeypatch.context() as patched:
        interrupt(patched, 1, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            apply_model("nlm", tree, tmp_path / "out", OPTIONS)
    before = contents(tmp_path / "out.partial")
    for model, changed in [("median_filter", {"options": {}}), ("nlm", {"window": (-900, 400)}), ("nlm", {"residual": False})]:
        with pytest.raises(InputError, match="that of an interrupted run with another input, model, options or software"):
            apply_model(model, tree, tmp_path / "out", OPTIONS.model_copy(update=changed))
    write_nifti(tree / "more.nii", head())
    with pytest.raises(InputError, match="another input"):
        apply_model("nlm", tree, tmp_path / "out", OPTIONS)
    (tree / "more.nii").unlink()
    assert contents(tmp_path / "out.partial") == before
    assert apply_model("nlm", tree, tmp_path / "out", OPTIONS).slices == 35


def test_an_original_that_changes_between_is_another_input(tmp_path, monkeypatch):
    source = write_nifti(tmp_path / "a.nii", head())

    with monkeypatch.context() as patched:
        interrupt(patched, 2, OSError(errno.EDQUOT, "Disk quota exceeded"))
        with pytest.raises(InputError, match="There is no space left"):
            apply_model("nlm", source, tmp_path / "b.nii", OPTIONS)
    write_nifti(source, np.roll(head(), 1, axis=0))
    with pytest.raises(InputError, match="another input"):
        apply_model("nlm", source, tmp_path / "b.nii", OPTIONS)


def test_another_command_replaces_it_if_that_is_asked_for(tmp_path, tree, monkeypatch):
    with monkeypatch.context() as patched:
        interrupt(patched, 1, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            apply_model("nlm", tree, tmp_path / "out", OPTIONS)
    other = OPTIONS.model_copy(update={"window": (-900, 400), "overwrite": True})
    assert apply_model("nlm", tree, tmp_path / "out", other).slices == 36
    apply_model("nlm", tree, tmp_path / "whole", other)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out", "whole"]


@pytest.mark.parametrize(
    "changed", [("_package_hash", lambda: "0"), ("version", lambda name: "0"), ("__version__", "0")], ids=lambda change: change[0]
)
def test_other_software_does_not_continue_it(tmp_path, monkeypatch, changed):
    source = write_nifti(tmp_path / "a.nii", head())
    with monkeypatch.context() as patched:
        interrupt(patched, 2, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            apply_model("nlm", source, tmp_path / "b.nii", OPTIONS)
    with monkeypatch.context() as patched:
        patched.setattr(running, *changed)
        with pytest.raises(InputError, match="options or software: repeat that command, or add --overwrite"):
            apply_model("nlm", source, tmp_path / "b.nii", OPTIONS)
    assert apply_model("nlm", source, tmp_path / "b.nii", OPTIONS).slices == 4


def test_the_hash_of_the_package_is_that_of_its_sources(tmp_path, monkeypatch):
    package = tmp_path / "fplbench"
    (package / "methods/__pycache__").mkdir(parents=True)
    for name in ("__init__.py", "methods/nlm.py", "page.css"):
        (package / name).write_text("a")
    monkeypatch.setattr(running.fplbench, "__file__", str(package / "__init__.py"))

    def current():
        running._package_hash.cache_clear()
        return running._package_hash()

    try:
        first = current()
        (package / "methods/__pycache__/nlm.pyc").write_text("compiled")
        (package / "methods/nlm.py").touch()
        assert current() == first
        for name in ("methods/nlm.py", "page.css", "methods/new.py"):
            (package / name).write_text("b")
            assert current() != first
            first = current()
    finally:
        running._package_hash.cache_clear()


@pytest.mark.parametrize(
    ("slices", "said"),
    [(1, "an earlier run had finished the only slice."), (3, "an earlier run had finished all 3 slices.")],
)
def test_a_run_that_only_gives_the_output_its_name_says_so(tmp_path, monkeypatch, slices, said):
    source = write_nifti(tmp_path / "a.nii", head(slices=slices))
    arguments = ["apply", "median_filter", str(source), str(tmp_path / "b.nii"), "--window", "-1000", "400"]

    def interrupted(self, record):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Output, "finish", interrupted)
        stopped = CliRunner().invoke(app, arguments)
        assert stopped.exit_code == 130 and stopped.output.endswith("Stopped: the same command continues.\n")
    result = CliRunner().invoke(app, arguments)
    assert result.output.splitlines()[-2] == f"Medi. Filt.: {said}"
    assert (tmp_path / "b.nii").exists()


def test_a_run_that_continues_says_how_much_was_done_before(tmp_path, monkeypatch):
    write_series(tmp_path / "in", head())
    arguments = ["apply", "median_filter", str(tmp_path / "in"), str(tmp_path / "out"), "--window", "-1000", "400"]
    with monkeypatch.context() as patched:
        interrupt(patched, 4, KeyboardInterrupt())
        assert CliRunner().invoke(app, arguments).exit_code == 130
    line = CliRunner().invoke(app, arguments).output.splitlines()[-2]
    assert line.startswith("Medi. Filt.: 6 slices, 4 were done before; ") and line.endswith(" a second.")


@pytest.mark.parametrize("seconds", [0.5, 1.5])
def test_ctrl_c_is_one_sentence(tmp_path, seconds):
    """It reaches all processes of the command, in whatever they are doing."""
    write_series(tmp_path / "in", head(side=256, slices=60))
    arguments = ["nlm", tmp_path / "in", tmp_path / "out", "--window", "-1000", "400", "--threads", "2"]
    program = "import sys; from fplbench.cli import main; print(flush=True); main()"
    run = subprocess.Popen(
        [sys.executable, "-c", program, "apply", *map(str, arguments)], start_new_session=True, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=heed_interrupts,
    )  # fmt: skip
    assert run.stdout is not None and run.stdout.readline() == "\n"
    time.sleep(seconds)
    os.killpg(run.pid, signal.SIGINT)
    assert run.communicate(timeout=60) == ("", "Stopped: the same command continues.\n") and run.returncode == 130

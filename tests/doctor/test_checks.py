"""Each check of `fplbench doctor` in made-up environments."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import pytest

from fplbench.config import load_config
from fplbench.doctor import installed, machine, programs, work
from fplbench.doctor.registry import Finding, Place, check, examine, worst

HERE = Place()
GPU = {"name": "NVIDIA H100", "free": 60e9, "total": 80e9}


def said(finding: Finding) -> str:
    return f"{finding.status}: {finding.found} {finding.advice}"


def program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.fixture
def only_path(monkeypatch, tmp_path):
    """An empty folder that is all of PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def test_a_check_that_fails_is_a_line_and_the_others_still_run():
    def broken(place):
        raise OSError("no such\ndevice")

    lines = list(examine(HERE, {"one": broken, "two": lambda place: Finding("ok", "Fine.")}))
    assert [line.finding.status for line in lines] == ["error", "ok"]
    assert "OSError: no such device" in str(lines[0]) and "\n" not in str(lines[0])


def test_two_checks_cannot_have_one_name():
    with pytest.raises(ValueError, match="registered twice"):
        check("python")(lambda place: Finding("ok", ""))


def test_the_worst_of_several_findings_comes_first():
    found = worst([Finding("ok", "A."), Finding("error", "B.", "Do b."), Finding("warning", "C.", "Do c.")])
    assert found == Finding("error", "B. C. A.", "Do b. Do c.")


def test_an_old_python_is_an_error(monkeypatch):
    monkeypatch.setattr(installed.platform, "python_version", lambda: "3.10.2")
    assert said(installed.python(HERE)).startswith("error: Python 3.10.2; >=3.11 is needed.")


def versions(monkeypatch, **changes: str | None) -> None:
    real = installed.version_of
    monkeypatch.setattr(installed, "version_of", lambda name: changes[name] if name in changes else real(name))


def test_missing_and_old_packages_are_errors_that_are_named(monkeypatch):
    versions(monkeypatch, nibabel=None, torch="2.5.1")
    found = said(installed.packages(HERE))
    assert found.startswith("error: Not installed: nibabel. Too old: torch 2.5.1 (>=2.6 is needed).") and "pip install" in found


def test_versions_beside_the_pins_are_a_warning_and_local_builds_are_not(monkeypatch, tmp_path):
    pins = tmp_path / "constraints.txt"
    pins.write_text("# tested\nnumpy==2.4.6\ntorch==2.13.0  # either build\nnot-installed-here==1\n")
    monkeypatch.setattr(installed, "CONSTRAINTS", pins)
    versions(monkeypatch, numpy="2.4.5", torch="2.13.0+cu130")
    found = said(installed.pinned(HERE))
    assert found.startswith("warning: 1 of 2 packages have other versions") and "numpy 2.4.5 (tested: 2.4.6)" in found


def test_a_missing_extra_says_what_lacks_and_how_to_get_it(monkeypatch):
    versions(monkeypatch, sewar=None)
    found = installed.extras(HERE)
    assert found.status == "warning" and "the metric vif (without sewar)" in found.found
    assert "vif" in found.advice.partition("'.[")[2]


def test_a_compression_without_a_decoder_is_named(monkeypatch):
    from fplbench.datasets.formats import decoding

    monkeypatch.setattr(decoding, "DECODERS", {"1.2.840.10008.1.2.4.80": ("another",), "1.2.840.10008.1.2.5": ("pydicom",)})
    assert said(installed.decoders(HERE)).startswith("warning: No decoder works for JPEG-LS Lossless")


def test_the_command_of_another_environment_is_an_error(only_path):
    program(only_path, "bash", "")
    assert said(installed.commands(HERE)).startswith("error: The rules call `fplbench`, which is not in PATH.")
    program(only_path, "fplbench", "")
    assert "of another environment" in said(installed.commands(HERE))
    (only_path / "bash").unlink()
    assert said(installed.commands(HERE)).startswith("error: There is no bash")


def torch_says(monkeypatch, driver: str | None, **found) -> str:
    answer = {"version": "2.13.0", "cuda": "13.0", "devices": [], "why": ""} | found
    monkeypatch.setattr(machine, "torch_here", lambda: answer)
    monkeypatch.setattr(machine, "driver", lambda: driver)
    return said(machine.torch(HERE))


def test_the_devices_of_torch(monkeypatch):
    assert "60 of 80 GB free; driver 580.1" in torch_says(monkeypatch, "580.1", devices=[GPU])
    assert torch_says(monkeypatch, None).startswith(
        "warning: torch 2.13.0, built for CUDA 13.0. There is no GPU: networks train on the CPU"
    )
    assert "so that the GPU of this machine is not used" in torch_says(monkeypatch, "580.1", cuda=None)
    assert "cannot use the GPU (driver 390.1): too old." in torch_says(monkeypatch, "390.1", why="too old")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert "CUDA_VISIBLE_DEVICES is ''" in torch_says(monkeypatch, "580.1")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import os; os.kill(os.getpid(), 4)", "SIGILL"),
        ("raise ImportError('libcudart.so: not found')", "libcudart.so: not found"),
    ],
)
def test_a_torch_that_cannot_be_imported_does_not_end_the_doctor(monkeypatch, code, words):
    monkeypatch.setattr(machine, "TORCH", code)
    found = said(machine.torch(HERE))
    assert found.startswith("error: torch does not work") and words in found and "docs/environments.md" in found


def test_the_version_of_the_driver(only_path):
    assert machine.driver() is None
    program(only_path, "nvidia-smi", "echo 580.95.05")
    assert machine.driver() == "580.95.05"
    program(only_path, "nvidia-smi", "echo 'NVIDIA-SMI has failed'; exit 9")
    assert machine.driver() is None


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_limits_of_control_groups_of_both_versions(tmp_path):
    """The least limit of a group and of those above it holds."""
    own, second, first = tmp_path / "cgroup", tmp_path / "v2", tmp_path / "v1"
    assert machine.cgroup_limits(second, own) == (None, None)
    own.write_text("0::/job/step\n")
    write(second / "job" / "cpu.max", "150000 100000\n")
    write(second / "job" / "step" / "cpu.max", "max 100000\n")
    write(second / "job" / "memory.max", "4000000000\n")
    write(second / "job" / "step" / "memory.max", "max\n")
    assert machine.cgroup_limits(second, own) == (1.5, 4e9)
    own.write_text("3:cpu:/\n2:memory:/docker\n")
    write(first / "cpu" / "cpu.cfs_quota_us", "-1\n")
    write(first / "cpu" / "cpu.cfs_period_us", "100000\n")
    write(first / "memory" / "docker" / "memory.limit_in_bytes", "2000000000\n")
    write(first / "memory" / "memory.limit_in_bytes", "9223372036854771712\n")
    assert machine.cgroup_limits(first, own) == (None, 2e9)


def test_a_container_with_less_than_the_machine_is_told_how_to_run(monkeypatch):
    monkeypatch.setattr(machine.os, "sched_getaffinity", lambda process: set(range(16)), raising=False)
    monkeypatch.setattr(machine, "memory_here", lambda: (64e9, 60e9))
    monkeypatch.setattr(machine, "cgroup_limits", lambda: (None, None))
    assert said(machine.cores_and_memory(HERE)) == "ok: 16 cores and 64.0 GB of memory, 60.0 GB of it available. "
    monkeypatch.setattr(machine, "cgroup_limits", lambda: (2.5, 3e9))
    found = said(machine.cores_and_memory(HERE))
    assert found.startswith("warning") and "--cores 2" in found and "--resources mem_mb=3000" in found


def test_a_full_disk_a_full_table_of_files_and_a_blocked_folder(monkeypatch, tmp_path):
    def space(folder=tmp_path / "not" / "made"):
        return said(machine.space("Results", folder, "the key `results`"))

    assert space().startswith("ok: Results:") and f"free at {tmp_path}" in space()
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda folder: usage(1.2e9))
    assert space().startswith("warning: Results: 1.2 GB free") and "choose another folder: the key `results`" in space()
    files = namedtuple("files", "f_files f_favail")
    monkeypatch.setattr(machine.os, "statvfs", lambda folder: files(1000, 7))
    assert "No more than 7 files" in space()
    assert space(Path("/proc/x")).startswith("error: Results: /proc cannot be written to")  # root ignores modes


def test_tex(only_path):
    assert said(programs.tex(HERE)).startswith("warning: There is no pdflatex.")
    program(only_path, "pdflatex", 'echo "! LaTeX Error: File \\`booktabs.sty\' not found."; exit 1')
    assert "booktabs.sty' not found" in said(programs.tex(HERE)) and "apt-get install" in said(programs.tex(HERE))
    program(only_path, "pdflatex", "while read -r line; do case $line in *booktabs*) echo > x.pdf;; esac; done < x.tex")
    assert said(programs.tex(HERE)).startswith("ok")


def test_a_font_that_matplotlib_does_not_find(monkeypatch):
    import matplotlib

    assert "DejaVu Sans" in said(programs.fonts(HERE))
    monkeypatch.setitem(matplotlib.rcParams, "font.family", ["No Such Letters"])
    assert said(programs.fonts(HERE)).startswith("warning: matplotlib finds no normal and no bold font of the family No Such")


def test_programs_of_tests_are_no_matter_for_a_run(only_path):
    assert said(programs.test_programs(HERE)).startswith("ok: Not there: chromium") and programs.test_programs(HERE).advice


def test_the_tiny_step_fails_where_a_filter_does_nothing(monkeypatch):
    from fplbench.denoising.registry import METHODS

    assert work.tiny_work(HERE).status == "ok"
    idle = replace(METHODS["median_filter"], function=lambda noisy, options: noisy)
    monkeypatch.setitem(METHODS._entries, "median_filter", idle)
    assert said(work.tiny_work(HERE)).startswith("error") and "should have raised it" in work.tiny_work(HERE).found


def run(*arguments: str, folder: Path = Path()) -> subprocess.CompletedProcess:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    command = ["fplbench", "doctor", *arguments]
    return subprocess.run(command, cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=300)


@pytest.mark.slow
def test_a_real_run_finds_the_environment_of_the_tests_sound_and_wrong_data_not(tmp_path):
    write(tmp_path / "a.yaml", "datasets: {lits: {root: nowhere}}\nmethods: [noisy]\nnoises: [gaussian]\n")
    process = run("--configfile", "a.yaml", "--json", folder=tmp_path)
    answer = json.loads(process.stdout)
    lines = {one["name"]: one for one in answer["checks"]}
    assert [name for name, one in lines.items() if one["status"] == "error"] == ["data"], process.stdout
    assert process.returncode == 1 and not answer["ok"] and "datasets.lits.root" in lines["data"]["found"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "cannot be read: No such file or directory"),
        ("a: [1\n", "is not a YAML file"),
        ("[1]", "has no keys"),
        ("noises: [gausian]", "did you mean 'gaussian'?"),
        ("datasets: {lits: {root: x}}\nmethods: {dpir: {weights: w.pth}}\nnoises: [gaussian]", "The weight file w.pth"),
    ],
)
def test_a_wrong_config_is_an_error_in_its_line(tmp_path, text, words):
    from fplbench.doctor import _place

    path = tmp_path / "a.yaml"
    if text is not None:
        path.write_text(text)
    assert said(work.config(_place([path]))).startswith("error") and words in work.config(_place([path])).found


def test_data_that_are_there_are_ok(tmp_path):
    from fplbench.doctor import _place

    write(tmp_path / "volumes" / "volume-0.nii", "x")
    path = tmp_path / "a.yaml"
    path.write_text(
        f"datasets: {{lits: {{root: {tmp_path / 'volumes'}}}}}\nmethods: [noisy]\nnoises: [gaussian]\nresults: there\n"
    )
    place = _place([path])
    assert place.results == Path("there")
    assert work.data(place).status == work.config(place).status == "ok"


def test_room_for_the_run_of_a_config(monkeypatch, tmp_path):
    """The demo needs about 230 MB; what is in its folder counts as done."""
    from fplbench.doctor import _place
    from tests.helpers.workflow import ROOT

    assert "needs a config" in work.room(HERE).found and "the config is wrong" in work.room(Place(problem="wrong")).found
    path = tmp_path / "small.yaml"
    path.write_text(f"results: {tmp_path / 'there'}\n")
    place = _place([ROOT / "config" / "demo.yaml", path])
    monkeypatch.chdir(tmp_path)
    assert said(work.room(place)).startswith("warning: There is no Snakefile here.")
    monkeypatch.chdir(ROOT)
    found = re.match(r"ok: The whole run needs about (\d+) MB in .*, where 0 MB are now; ", said(work.room(place)))
    assert found and 150 < int(found[1]) < 300
    write(tmp_path / "there" / "a" / "b", "x" * 50_000_000)
    assert "where 50 MB are now" in work.room(place).found
    usage = namedtuple("usage", "free")
    monkeypatch.setattr("shutil.disk_usage", lambda folder: usage(1e8))
    assert re.match(r"error: The run needs about \d+ MB more in .*, but its disk has 100 MB free", said(work.room(place)))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
def test_a_compiler_is_looked_for_where_networks_are_to_be_compiled(monkeypatch):
    def place(asked):
        return Place(config=load_config({"numerics": {"compile": asked}}))

    assert work.compiler(HERE).status == work.compiler(place(True)).status == "ok"
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert said(work.compiler(place(False))).startswith("ok: Not needed")
    found = said(work.compiler(place(True)))
    assert found.startswith("error: torch cannot compile networks: ") and "no-such-compiler" in found and "g++" in found

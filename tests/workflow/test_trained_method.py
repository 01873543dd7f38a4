"""The commands of the guide: a new network is one file, is tested, trained and has its column; a new method is tuned."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.prestarted import prestarted
from tests.helpers.scores import read_rows
from tests.helpers.workflow import ROOT, write_volumes

GUIDE = (ROOT / "docs" / "add-a-baseline.md").read_text()
RUNS = ("plain", "plain_features")


def commands(start: str, end: str) -> str:
    """The commands of the guide between two of its headings, with trainings of half as many steps."""
    found = "\n".join(re.findall(r"```sh\n(.*?)```", GUIDE[GUIDE.index(start) : GUIDE.index(end)], re.DOTALL))
    return re.sub(r"(steps\W+)(\d+)", lambda match: f"{match[1]}{int(match[2]) // 2}", found)


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A copy of the repository after the commands, with a made-up volume in the place of the sample CT."""
    folder = tmp_path_factory.mktemp("repository")
    for name in ("fplbench", "workflow", "profiles", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Snakefile", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    write_volumes(folder / "data" / "sample" / "lits", count=1, slices=40)
    with prestarted(folder) as programs:
        (folder / "output.txt").write_text(run(commands("### A network", "## 2."), folder, *programs).stdout)
    return folder


def run(script: str, folder: Path, *programs: str) -> subprocess.CompletedProcess:
    """Run commands in a copy of the repository; folders of programs come first in PATH."""
    path = os.pathsep.join([*programs, str(Path(sys.executable).parent), os.environ["PATH"]])
    paths = {"PATH": path, "PYTHONPATH": str(folder)}
    command = ["bash", "-e", "-c", script]
    result = subprocess.run(command, cwd=folder, env={**os.environ, **paths, "COLUMNS": "1000"}, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-4000:]
    return result


@pytest.mark.slow
def test_the_new_network_passes_the_contract_tests(repository):
    output = (repository / "output.txt").read_text()
    assert output.count("[100%]") == 1 and "F" not in output.partition("[100%]")[0]
    assert output.partition("[100%]")[0].count(".") > 10


@pytest.mark.slow
@pytest.mark.parametrize("run", RUNS)
def test_it_has_a_column_and_denoises(repository, run):
    tables = repository / "results" / run / "tables"
    assert "Plain CNN" in (tables / "lits.md").read_text()
    assert (tables / "lits.md").read_text() in (repository / "output.txt").read_text()
    psnr = {row["method"]: float(row["mean"]) for row in read_rows(tables / "lits.csv") if row["metric"] == "psnr"}
    assert psnr["plain"] > psnr["noisy"] + 3


@pytest.mark.slow
def test_the_feature_preserving_loss_is_one_option_away(repository):
    models = [repository / "results" / run / "models" / "lits" for run in RUNS]
    logs = [(folder / "gaussian" / "plain.csv").read_text() for folder in models]
    assert ["loss_feature" in log.partition("\n")[0] for log in logs] == [False, True]
    assert [(folder / "restoration.safetensors").exists() for folder in models] == [False, True]


@pytest.mark.slow
def test_the_commands_without_snakemake_denoise_too(repository):
    assert (repository / "denoised.npy").exists() and (repository / "plain.csv").exists()


@pytest.mark.slow
def test_the_commands_for_a_tuned_method_work(repository):
    """Those with ImageMagick's rule are only planned here; tests/denoising/test_documentation.py runs them where it is there."""
    cell = repository / "results" / "plain"
    for name, stack in (("clean", cell / "data/lits/train.npy"), ("noisy", cell / "noisy/lits/gaussian/train.npy")):
        shutil.copy(stack, repository / f"{name}.npy")
        shutil.copy(stack.with_suffix(".csv"), repository / f"{name}.csv")
    run("fplbench new-baseline local_mix\n" + GUIDE[GUIDE.index("fplbench tune") :].partition("```")[0], repository)
    assert (repository / "local_mix_map.json").exists()
    files, _, command = commands("## 3.", "## What is checked").partition("snakemake ")
    planned = run(f"{files}snakemake --dry-run {command.splitlines()[0]}", repository)
    for rule in ("denoise_kuwahara", "denoise_mine", "denoise_local_mix_tuned"):
        assert rule in planned.stdout + planned.stderr

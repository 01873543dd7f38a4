"""docs/methods.md says what the methods declare; docs/add-a-baseline.md works as it stands."""

import csv
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fplbench.denoising.documentation import describe_methods
from fplbench.methods import METHODS
from fplbench.stacks import INDEX_COLUMNS, open_stack, write_stack
from tests.helpers.workflow import write_volumes

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "methods.md").read_text()
GUIDE = (ROOT / "docs" / "add-a-baseline.md").read_text()


def test_the_options_are_those_that_the_methods_declare():
    section = PAGE.partition("## Options\n")[2].partition("## Sources\n")[0]
    if section.strip() != describe_methods():
        pytest.fail("docs/methods.md is out of date: run `make generated`.", pytrace=False)


def test_every_source_is_listed_and_every_listed_source_used():
    listed = re.findall(r"^- \*\*(\w+)\*\*:", PAGE, re.MULTILINE)
    used = {method.cites for method in METHODS.values() if method.cites}
    missing, unused = sorted(used - {*listed}), sorted({*listed} - used)
    if missing or unused or listed != sorted(listed):
        pytest.fail(
            f"Sources in docs/methods.md: add {missing}, remove {unused}, keep them in alphabetical order.", pytrace=False
        )


@pytest.mark.usefixtures("imagemagick")
@pytest.mark.slow
def test_the_guides_commands_work(tmp_path):
    """In a copy of the repository, with the two stacks and the scan that they name; test_trained_method runs the others."""
    for name in ("envs", "fplbench", "tests", "workflow"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "*local_mix*"))
    for name in ("pyproject.toml", "Snakefile"):
        shutil.copy(ROOT / name, tmp_path)
    write_volumes(tmp_path / "data" / "sample" / "lits", count=1, slices=40)
    index = [dict.fromkeys(INDEX_COLUMNS, number) for number in range(3)]
    clean = np.full((3, 32, 40), 100, np.uint8)
    write_stack(tmp_path / "clean.npy", clean, index)
    noisy = clean + np.random.default_rng(0).integers(0, 60, clean.shape, np.uint8)
    write_stack(tmp_path / "noisy.npy", noisy, index)
    before, _, network = GUIDE.partition("### A network")
    commands = "".join(re.findall(r"```sh\n(.*?)```", before + network[network.index("## 2.") :], re.DOTALL))
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "PATH": path, "OMP_NUM_THREADS": "1"}
    command = ["bash", "-e", "-c", commands]
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "### local_mix" in run.stdout
    assert open_stack(tmp_path / "denoised.npy").std() < noisy.std()
    for label in ("Local mix", "Local mix†", "Kuwahara", "Mine"):
        assert f" {label} |" in run.stdout
    with open(tmp_path / "results" / "mine" / "cost.csv", newline="") as stream:
        costs = {row["method"] for row in csv.DictReader(stream)}
    assert costs == {"noisy", "median_filter", "local_mix", "local_mix_tuned", "kuwahara", "mine"}

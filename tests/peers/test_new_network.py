"""The file that `write_network` writes is a network, a training and a method."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import fplbench
from fplbench.denoising.scaffold import write_network
from fplbench.errors import InputError


@pytest.fixture
def repository(tmp_path):
    root = Path(fplbench.__file__).parents[1]
    for name in ("fplbench", "tests"):
        shutil.copytree(root / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / "pyproject.toml", tmp_path)
    return tmp_path


@pytest.mark.slow
def test_one_file_is_a_network_that_trains_and_denoises(repository):
    write_network("wide_net", repository)
    tests = ["tests/peers/test_registry.py", "tests/peers/test_training.py", "tests/methods/test_learned.py"]
    command = [sys.executable, "-m", "pytest", "-rA", "-p", "no:cacheprovider", *tests, "-k", "wide_net"]
    environment = {**os.environ, "PYTHONPATH": str(repository), "OMP_NUM_THREADS": "1"}
    run = subprocess.run(command, cwd=repository, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "PASSED tests/peers/test_training.py::test_a_peer_trains_and_its_weights_denoise[wide_net]" in run.stdout


def test_the_new_file_is_clean(tmp_path):
    ruff = pytest.importorskip("ruff")
    (tmp_path / "fplbench" / "peers").mkdir(parents=True)
    for name in ("__init__.py", "options.py", "peers/__init__.py", "peers/registry.py"):
        (tmp_path / "fplbench" / name).touch()  # so that ruff knows the package's own modules
    shutil.copy(Path(fplbench.__file__).parents[1] / "pyproject.toml", tmp_path)
    file = write_network("wide_net", tmp_path)
    for command in (["check"], ["format", "--check"]):
        run = subprocess.run([ruff.find_ruff_bin(), *command, str(file)], capture_output=True, text=True, cwd=tmp_path)
        assert run.returncode == 0, run.stdout + run.stderr
    with pytest.raises(InputError, match="already exists"):
        write_network("wide_net", tmp_path)


def test_a_name_that_cannot_be_a_networks_is_refused(tmp_path):
    with pytest.raises(InputError, match="'Wide-net' cannot be a network's name: use lower-case letters"):
        write_network("Wide-net", tmp_path)
    with pytest.raises(InputError, match=r"no folder fplbench/peers"):
        write_network("wide_net", tmp_path)

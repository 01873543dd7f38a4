"""The file that `write_network` writes; tests/workflow/test_trained_method.py tests and trains with one."""

import shutil
import subprocess
from pathlib import Path

import pytest

import fplbench
from fplbench.denoising.scaffold import write_network
from fplbench.errors import InputError


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

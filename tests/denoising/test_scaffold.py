import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fplbench.cli import app
from fplbench.denoising.scaffold import write_baseline
from fplbench.errors import InputError


@pytest.fixture
def repository(tmp_path):
    (tmp_path / "fplbench" / "methods").mkdir(parents=True)
    (tmp_path / "fplbench" / "denoising").mkdir()
    for name in ("__init__.py", "options.py", "methods/__init__.py", "denoising/__init__.py", "denoising/registry.py"):
        (tmp_path / "fplbench" / name).touch()  # so that ruff knows the package's own modules
    return tmp_path


@pytest.mark.slow
def test_the_new_method_passes_its_own_test(repository):
    """In an interpreter of its own, so that the method does not stay registered for other tests."""
    result = CliRunner().invoke(app, ["new-baseline", "sharp_mean", "--root", str(repository)])
    assert result.exit_code == 0
    script = (
        "import sys, pytest, fplbench.methods\n"
        "fplbench.methods.__path__.append(sys.argv[1])\n"
        "assert fplbench.methods.METHODS['sharp_mean'].label == 'Sharp mean'\n"
        "sys.exit(pytest.main(['-q', '-p', 'no:cacheprovider', '-c', '/dev/null', sys.argv[2]]))"
    )
    files = [repository / "fplbench" / "methods", repository / "tests" / "methods" / "test_sharp_mean.py"]
    run = subprocess.run([sys.executable, "-c", script, *map(str, files)], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_new_files_are_clean(repository):
    ruff = pytest.importorskip("ruff")
    shutil.copy(Path(__file__).parents[2] / "pyproject.toml", repository)
    files = [str(path) for path in write_baseline("sharp_mean", repository)]
    for command in (["check"], ["format", "--check"]):
        run = subprocess.run([ruff.find_ruff_bin(), *command, *files], capture_output=True, text=True, cwd=repository)
        assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("name", ["Sharp", "sharp-mean", "2d_filter", "../noise/x", ""])
def test_a_name_that_cannot_be_one_is_refused(repository, name):
    with pytest.raises(InputError, match="use lower-case letters, digits and underscores"):
        write_baseline(name, repository)


@pytest.mark.parametrize("name", ["class", "lambda", "match"])
def test_a_keyword_is_refused_as_one(repository, name):
    with pytest.raises(InputError, match="it is a keyword of Python"):
        write_baseline(name, repository)


def test_nothing_is_overwritten(repository):
    write_baseline("sharp_mean", repository)
    with pytest.raises(InputError, match="already exists"):
        write_baseline("sharp_mean", repository)


def test_elsewhere_than_in_the_repository_nothing_is_written(tmp_path):
    with pytest.raises(InputError, match="no folder fplbench/methods"):
        write_baseline("sharp_mean", tmp_path)
    assert list(tmp_path.iterdir()) == []

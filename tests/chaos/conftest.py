"""Runs that are killed and damaged: `make chaos`. Three kills are part of `make test`; nothing else selects the rest."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.chaos.runs import Run, prepare

HERE = Path(__file__).parent


def pytest_collection_modifyitems(config, items):
    """Leave out what is marked as chaos unless -m names the marker."""
    left_out = [item for item in items if HERE in item.path.parents and item.get_closest_marker("chaos")]
    if "chaos" not in config.option.markexpr:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory):
    """A run that nothing disturbed: to be read and copied only."""
    run = Run(prepare(tmp_path_factory.mktemp("undisturbed") / "run"))
    run.finish()
    return run


@pytest.fixture(scope="session")
def half_done(tmp_path_factory, undisturbed):
    """A run that has made noisy images and trained both networks: to be read and copied only."""
    run = Run(prepare(tmp_path_factory.mktemp("half") / "run"))
    run.finish(targets=("out/models/lits/gaussian/fpl.safetensors", "out/noisy/lits/gaussian/inserted_test.npy"))
    return run


@pytest.fixture
def half(half_done, tmp_path):
    """A copy of the run that is half done."""
    shutil.copytree(half_done.folder, tmp_path / "run")
    return replace(half_done, folder=tmp_path / "run")

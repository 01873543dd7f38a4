"""Tests on a real Slurm: `make test-slurm`, or `pytest -m slurm`. Nothing else selects them."""

import importlib.util
from pathlib import Path

import pytest

from tests.slurm.cluster import PACKAGES, missing_programs, running_cluster

HERE = Path(__file__).parent
PLUGIN = "snakemake_executor_plugin_slurm"


def pytest_collection_modifyitems(config, items):
    """Mark the tests of this folder, and leave them out unless -m names the marker."""
    here = [item for item in items if HERE in item.path.parents]
    for item in here:
        item.add_marker(pytest.mark.slurm)
    if "slurm" not in config.option.markexpr:
        config.hook.pytest_deselected(items=here)
        items[:] = [item for item in items if item not in here]


@pytest.fixture(scope="session")
def plugin():
    """Skip where Snakemake's executor plugin is missing."""
    if importlib.util.find_spec(PLUGIN) is None:
        pytest.skip("Snakemake's plugin for Slurm is not installed: pip install -c envs/constraints.txt '.[slurm]'")


@pytest.fixture(scope="session")
def cluster(tmp_path_factory, plugin):
    """A running Slurm; the value is the environment variables with which programs find it, which are set meanwhile."""
    if missing := missing_programs():
        pytest.skip(f"Slurm is not installed ({', '.join(missing)} not found): {PACKAGES}")
    with running_cluster(tmp_path_factory.mktemp("cluster")) as variables, pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        yield variables

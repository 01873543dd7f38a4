import pytest

from tests.helpers.workflow import snakemake, write_config, write_volumes


@pytest.fixture(scope="session")
def benchmark_run(tmp_path_factory):
    """The folder of a finished run, and what Snakemake said."""
    folder = tmp_path_factory.mktemp("benchmark")
    write_volumes(folder / "volumes")
    write_config(folder)
    process = snakemake(folder, "--configfile", "config.yaml")
    assert process.returncode == 0, process.stdout[-3000:]
    return folder, process.stdout

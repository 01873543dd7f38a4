import shutil
import time

import pytest

from tests.helpers.prestarted import prestarted
from tests.helpers.workflow import PRESTARTED, snakemake, write_config, write_volumes


@pytest.fixture(scope="package", autouse=True)
def prestarted_jobs():
    """Jobs start at once here."""
    with prestarted() as folders:
        PRESTARTED.extend(folders)
        yield
        PRESTARTED.clear()


@pytest.fixture(scope="package")
def finished_run(tmp_path_factory, worker_id, prestarted_jobs):
    """The folder of a finished run, made by the first of several workers: to be read and copied only."""
    shared = tmp_path_factory.getbasetemp() if worker_id == "master" else tmp_path_factory.getbasetemp().parent
    finished, log = shared / "benchmark", shared / "benchmark.log"
    try:
        finished.mkdir()
    except FileExistsError:
        while not (log.exists() and log.read_text()):
            time.sleep(0.5)
    else:
        write_volumes(finished / "volumes")
        write_config(finished)
        process = snakemake(finished, "--configfile", "config.yaml")
        log.write_text("finished" if process.returncode == 0 else process.stdout)
    assert log.read_text() == "finished", log.read_text()[-3000:]
    return finished


@pytest.fixture(scope="module")
def benchmark_run(tmp_path_factory, finished_run):
    """A copy of the finished run for each file of tests, which leave it with other configs."""
    folder = tmp_path_factory.mktemp("run") / "benchmark"
    shutil.copytree(finished_run, folder)
    return folder


def pytest_collection_modifyitems(items):
    """Every test here starts Snakemake."""
    for item in items:
        if "tests/workflow" in item.nodeid:
            item.add_marker(pytest.mark.slow)

import pytest

from tests.helpers.training import write_stacks


@pytest.fixture(scope="session")
def stacks(tmp_path_factory):
    """A folder with a clean and a noisy stack, a restoration network, and its features."""
    folder = tmp_path_factory.mktemp("stacks")
    write_stacks(folder)
    return folder

import pytest

from tests.helpers.networks import write_networks


@pytest.fixture(scope="session")
def network_files(tmp_path_factory):
    """Small untrained networks, by the training that a method's weights come from."""
    return write_networks(tmp_path_factory.mktemp("networks"))

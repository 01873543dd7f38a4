from functools import partial

import pytest

from tests.helpers.scores import write_long_table


@pytest.fixture
def write_scores(tmp_path):
    """Function that writes a long table, see `write_long_table`."""
    return partial(write_long_table, tmp_path / "scores.csv")

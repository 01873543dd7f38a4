"""The command that adds a noise to all splits of a data set."""

import numpy as np
import pytest
from typer.testing import CliRunner

from fplbench.cli import app
from fplbench.errors import InputError
from fplbench.noise import synthesize_stack
from fplbench.stacks import open_stack, read_index, write_stack


def run(*arguments):
    result = CliRunner().invoke(app, ["noise", *map(str, arguments)])
    if result.exception:
        raise result.exception


@pytest.fixture
def splits(tmp_path):
    paths = [tmp_path / "clean" / "train.npy", tmp_path / "clean" / "test.npy"]
    for k, path in enumerate(paths):
        index = [{"image_id": f"i{i}", "patient": "p", "source": "s", "slice": i} for i in range(3)]
        write_stack(path, np.full((3, 16, 16), 100 + k, np.uint8), index)
    return paths


@pytest.mark.parametrize(("axes", "places"), [("lidc", ["lidc/train", "lidc/test"]), ("", ["", ""])])
def test_all_splits_get_the_draws_of_their_data_set_and_split(splits, axes, places, tmp_path):
    run("gaussian", *splits, "--out-dir", tmp_path / "noisy", "--options", '{"sigma": [0.1, 0.2]}', "--seed", 3, "--axes", axes)
    for path, place in zip(splits, places, strict=True):
        synthesize_stack("gaussian", path, tmp_path / "alone.npy", {"sigma": [0.1, 0.2]}, seed=3, axes=place)
        noisy = tmp_path / "noisy" / path.name
        assert np.array_equal(open_stack(noisy), open_stack(tmp_path / "alone.npy"))
        assert read_index(noisy) == read_index(tmp_path / "alone.npy")


def test_stacks_with_the_same_file_name_are_refused(splits, tmp_path):
    with pytest.raises(InputError, match="same file name"):
        run("gaussian", splits[0], tmp_path / "other" / "train.npy", "--out-dir", tmp_path / "noisy")

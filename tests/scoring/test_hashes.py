import hashlib

import numpy as np
import pytest

from fplbench.errors import InputError
from fplbench.scoring.hashes import read_hashes, write_hashes
from fplbench.stacks import write_stack
from tests.helpers.scores import index_rows, run


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_command_hashes_every_stack_that_it_scores_by_name(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("test", "validation", "fpl", "noisy", "fpl_validation"):
        index = index_rows(2) if name in ("test", "validation") else None
        write_stack(tmp_path / f"{name}.npy", rng.integers(0, 256, (2, 16, 16), dtype=np.uint8), index)
    run(
        *("score", tmp_path / "test.npy", tmp_path / "scores.csv", tmp_path / "fpl.npy", tmp_path / "noisy.npy"),
        *("--validation-clean", tmp_path / "validation.npy", "--validation", tmp_path / "fpl_validation.npy"),
        *("--validation-scores", tmp_path / "held_out.csv", "--hashes", tmp_path / "hashes.json"),
    )
    found = read_hashes(tmp_path / "hashes.json")
    assert found.clean == {name: sha256(tmp_path / f"{name}.npy") for name in ("test", "validation")}
    assert found.denoised == {name: sha256(tmp_path / f"{name}.npy") for name in ("fpl", "noisy", "fpl_validation")}


def test_two_stacks_of_one_name_are_refused(tmp_path):
    (tmp_path / "a").mkdir()
    for path in (tmp_path / "fpl.npy", tmp_path / "a" / "fpl.npy"):
        path.write_bytes(b"x")
    with pytest.raises(InputError, match=r"a/fpl.npy is the second stack named 'fpl'"):
        write_hashes(tmp_path / "hashes.json", [], [tmp_path / "fpl.npy", tmp_path / "a" / "fpl.npy"])


@pytest.mark.parametrize("text", ["", "[]", '{"clean": {}}', '{"clean": 1, "denoised": 2}'])
def test_what_does_not_hold_hashes_is_refused(tmp_path, text):
    (tmp_path / "hashes.json").write_text(text)
    with pytest.raises(InputError, match=r"hashes.json does not hold the hashes of scored stacks"):
        read_hashes(tmp_path / "hashes.json")

"""What every training promises: its weights depend on the seed alone, and a kill leaves no trace in them."""

import csv
import signal

import pytest

from fplbench.files import file_hash, seal_path
from fplbench.networks import weights
from fplbench.peers import PEERS
from fplbench.training import TRAININGS, train
from tests.helpers.training import given, kill, tiny

pytestmark = pytest.mark.slow


def usable(name: str) -> bool:
    return name not in PEERS or PEERS[name].unusable() is None


def takes_steps(name: str) -> bool:
    return "steps" in TRAININGS[name].options.model_fields


@pytest.fixture(params=TRAININGS)
def name(request):
    if not usable(request.param):
        pytest.skip(PEERS[request.param].unusable())
    return request.param


@pytest.fixture(scope="module")
def killed(request, stacks, tmp_path_factory):
    """A folder in which every training that is tested was killed, and the signals that ended them."""
    folder = tmp_path_factory.mktemp("killed")
    tested = {
        item.callspec.params["name"]
        for item in request.session.items
        if "killed" in item.fixturenames and item.path == request.path
    }
    return folder, kill(stacks, folder, {name: (name, tiny(name)) for name in filter(takes_steps, filter(usable, tested))})


def trained(stacks, name: str, out, seed: int = 1):
    train(name, given(stacks, name), out, tiny(name), seed=seed, device="cpu")
    return out


def losses(out) -> list[dict[str, str]]:
    """The log without what depends on the machine."""
    with open(out.with_suffix(".csv"), newline="") as stream:
        rows = list(csv.DictReader(stream))
    return [{key: row[key] for key in row if key not in ("images_per_second", "peak_memory_mb")} for row in rows]


def test_the_weights_depend_on_the_seed_alone(stacks, tmp_path, name):
    first, again, other = (trained(stacks, name, tmp_path / f"{i}.safetensors", seed) for i, seed in enumerate([1, 1, 2]))
    assert file_hash(first) == file_hash(again) and losses(first) == losses(again)
    assert weights.read_metadata(first)["seed"] == 1
    assert file_hash(first) != file_hash(other)
    assert losses(first)[0] != losses(other)[0]


def test_a_training_that_was_killed_ends_in_the_same_bytes(stacks, tmp_path, killed, name):
    if not takes_steps(name):
        pytest.skip("it takes no steps, so it cannot be resumed")
    folder, signals = killed
    out = folder / f"{name}.safetensors"
    assert signals[name] == signal.SIGKILL
    assert not out.exists() and out.with_name(f".{name}.state.safetensors").exists()
    straight = trained(stacks, name, tmp_path / f"{name}.safetensors")
    trained(stacks, name, out)
    assert file_hash(straight) == file_hash(out) and losses(straight) == losses(out)
    assert list(folder.glob(f".{name}.*")) == [seal_path(out)]


def test_the_log_has_a_column_for_validation_images_and_scores_where_they_are_given(stacks, tmp_path, name):
    rows = losses(trained(stacks, name, tmp_path / "a.safetensors"))
    found = [[bool(row[column]) for column in row if column.startswith("validation_")] for row in rows]
    if takes_steps(name):
        scores = 2 if "validation_lesions" in TRAININGS[name].inputs else 1
        assert found == [["validation_clean" in TRAININGS[name].inputs] * scores] * 3
    else:
        assert found == [[]]

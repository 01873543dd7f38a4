"""Trainings with each use of features: what they need, what they refuse, and that a kill leaves no trace in them."""

import signal

import numpy as np
import pytest
from safetensors import safe_open

from fplbench.errors import InputError
from fplbench.explaining.maps import write_features
from fplbench.files import file_hash
from fplbench.lesions.stack import write_lesions
from fplbench.networks import weights
from fplbench.stacks import open_stack, write_stack
from fplbench.training import train
from tests.helpers.training import TINY, given, kill, tiny
from tests.training.test_contract import losses

USES = {"balance": {"balance": 0.5}, "weight": {"feature_use": "weight", "feature_strength": 3.0}}


def trained(stacks, use, out, seed=1):
    train("fpl", given(stacks, "fpl"), out, {**tiny("fpl"), **USES[use]}, seed=seed, device="cpu")
    return out


@pytest.fixture(scope="module")
def killed(stacks, tmp_path_factory):
    """A folder in which the trainings were killed, and the signals that ended them."""
    folder = tmp_path_factory.mktemp("killed")
    return folder, kill(stacks, folder, {use: ("fpl", {**tiny("fpl"), **options}) for use, options in USES.items()})


@pytest.mark.slow
@pytest.mark.parametrize("use", USES)
def test_the_weights_depend_on_the_seed_alone(stacks, tmp_path, use):
    first, again, other = (trained(stacks, use, tmp_path / f"{i}.safetensors", seed) for i, seed in enumerate([1, 1, 2]))
    assert file_hash(first) == file_hash(again) and losses(first) == losses(again)
    assert file_hash(first) != file_hash(other)


@pytest.mark.slow
@pytest.mark.parametrize("use", USES)
def test_a_training_that_was_killed_ends_in_the_same_bytes(stacks, tmp_path, killed, use):
    folder, signals = killed
    out, state = folder / f"{use}.safetensors", folder / f".{use}.state.safetensors"
    assert signals[use] == signal.SIGKILL and not out.exists()
    with safe_open(state, framework="pt") as archive:
        remembered = {name: archive.get_tensor(name) for name in archive.keys() if name.startswith("loss.")}  # noqa: SIM118
    # Of the two steps before the state, the first had L_FP; the check of the last update left no trace in the mean.
    assert [float(value) for name, value in sorted(remembered.items()) if name == "loss.count"] == pytest.approx(
        [1 - 0.9] if use == "balance" else []
    )
    straight = trained(stacks, use, tmp_path / f"{use}.safetensors")
    trained(stacks, use, out)
    assert file_hash(straight) == file_hash(out) and losses(straight) == losses(out)


@pytest.mark.parametrize("feature", ["sobel", "mask"])
def test_features_of_no_network_need_none(tmp_path, stacks, feature):
    inputs = copied(stacks, tmp_path)
    inputs["features"] = tmp_path / "features.npy"
    write_features(None, inputs["clean"], inputs["features"], device="cpu", feature=feature)
    out = tmp_path / "fpl.safetensors"
    train("fpl", inputs, out, {**TINY, "draws": 1, **USES["weight"]}, seed=1, device="cpu")
    assert weights.read_metadata(out)["explanation"]["feature"] == feature
    if feature == "sobel":
        train("fpl", inputs, out, {**TINY, "draws": 1, **USES["balance"]}, seed=1, device="cpu")
    else:
        with pytest.raises(InputError, match="mask is not found in images"):
            train("fpl", inputs, out, {**TINY, "draws": 1, "allow_zero_gradient": True}, seed=1, device="cpu")


def copied(stacks, folder):
    """A clean stack with a lesion, and a noisy one."""
    images = np.array(open_stack(stacks / "clean.npy"))
    index = [{"image_id": i, "patient": 0, "source": "made up", "slice": i} for i in range(1, 7)]
    for name in ("clean", "noisy"):
        write_stack(folder / f"{name}.npy", open_stack(stacks / f"{name}.npy"), index)
    write_lesions(folder / "clean.npy", np.zeros_like(images), [])
    return {name: folder / f"{name}.npy" for name in ("clean", "noisy")}


def test_features_of_a_network_need_it(stacks, tmp_path):
    inputs = {name: path for name, path in given(stacks, "fpl").items() if name != "explained"}
    for options in USES.values():
        with pytest.raises(InputError, match="are of a network, so the training needs --explained"):
            train("fpl", inputs, tmp_path / "fpl.safetensors", {**TINY, **options}, seed=1, device="cpu")


def test_features_of_a_piecewise_linear_network_can_be_weights(stacks, tmp_path):
    """ReLU and sum, whose L_FP has no gradient: a weight needs none."""
    inputs = {**given(stacks, "fpl"), "features": tmp_path / "features.npy"}
    write_features(inputs["explained"], inputs["clean"], inputs["features"], device="cpu", activation="relu")
    train("fpl", inputs, tmp_path / "fpl.safetensors", {**TINY, **USES["weight"]}, seed=1, device="cpu")


def test_channels_and_levels_of_an_encoder_can_be_compared_and_be_weights(stacks, tmp_path):
    inputs = {**given(stacks, "fpl"), "features": tmp_path / "features.npy"}
    write_features(inputs["explained"], inputs["clean"], inputs["features"], device="cpu", feature="encoder", level=2)
    for use in USES:
        train("fpl", inputs, tmp_path / f"{use}.safetensors", {**TINY, **USES[use]}, seed=1, device="cpu")
    assert np.load(inputs["features"]).shape[1:] == (8, 8, 8)

"""Each peer is trained and denoises, from what it declares alone."""

import csv

import numpy as np
import pytest

from fplbench.methods import METHODS, denoise
from fplbench.networks import weights
from fplbench.options import Options
from fplbench.peers import PEERS, Peer
from fplbench.stacks import open_stack
from fplbench.training import TRAININGS, train
from fplbench.training.denoiser import DenoiserOptions
from fplbench.training.documentation import describe_trainings
from fplbench.training.peers import options_of
from tests.helpers.training import TINY, given, write_stacks


@pytest.fixture(scope="module")
def stacks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stacks")
    write_stacks(folder)
    return folder


def train_peer(name, stacks, out, **options):
    if reason := PEERS[name].unusable():
        pytest.skip(reason)
    train(name, given(stacks, name), out, {**TINY, **PEERS[name].small, **options}, seed=1, device="cpu")


def log_of(out):
    with open(out.with_suffix(".csv"), newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_trains_and_its_weights_denoise(name, stacks, tmp_path):
    out = tmp_path / f"{name}.safetensors"
    train_peer(name, stacks, out)
    metadata = weights.read_metadata(out)
    assert (metadata["architecture"], metadata["output"]) == (name, PEERS[name].output)
    assert "loss_feature" not in log_of(out)[0]
    noisy = np.array(open_stack(stacks / "noisy.npy"))
    assert denoise(name, noisy, weights=out, device="cpu").shape == noisy.shape


@pytest.mark.parametrize("name", ["red_cnn", "dncnn"])  # one that returns the image, and one that returns the noise
def test_features_train_a_peer_with_the_feature_preserving_loss(name, stacks, tmp_path):
    train_peer(name, stacks, tmp_path / "with.safetensors", features=True, feature_weight=1e-3, feature_interval=2)
    rows = log_of(tmp_path / "with.safetensors")
    assert all(float(row["loss_feature"]) > 0 and float(row["gradient_norm_feature"]) > 0 for row in rows)
    assert weights.read_metadata(tmp_path / "with.safetensors")["explanation"]["readout"] == "sum"
    train_peer(name, stacks, tmp_path / "without.safetensors")
    with_features, without = (weights.load(tmp_path / f"{kind}.safetensors")[0] for kind in ("with", "without"))
    assert any((a != b).any() for a, b in zip(with_features.parameters(), without.parameters(), strict=True))


def test_every_peer_has_a_training_and_a_method_of_its_name():
    for name, peer in PEERS.items():
        training, method = TRAININGS[name], METHODS[name]
        assert training.per == ("dataset", "noise")
        assert set(peer.options.model_fields) < set(training.options.model_fields)
        assert (method.weights, method.label, method.group, method.gpu) == (name, peer.label, "networks", True)
        assert method.modules == (peer.build.__module__,)
        assert peer.label in training.summary and peer.summary in describe_trainings()


def test_the_registries_are_in_alphabetical_order():
    for registry in (PEERS, TRAININGS, METHODS):
        assert list(registry) == sorted(registry)


def test_the_defaults_of_a_training_are_those_of_the_peer_else_those_of_every_training():
    options = TRAININGS["red_cnn"].options()
    assert (options.width, options.layers, options.learning_rate) == (96, 5, 1e-4)
    assert (options.steps, options.batch) == (DenoiserOptions().steps, DenoiserOptions().batch)
    with pytest.raises(ValueError, match="micro_batch is 3, which does not divide batch"):
        TRAININGS["red_cnn"].options(batch=4, micro_batch=3)
    with pytest.raises(ValueError, match="blocks has 4 levels and heads 2"):
        TRAININGS["restormer"].options(heads=[1, 1])


def test_restoration_network_and_features_are_inputs_only_with_the_feature_preserving_loss():
    assert TRAININGS["dncnn"].needs({}) == ("clean", "noisy", "validation_clean", "validation_noisy")
    assert TRAININGS["dncnn"].needs({"features": True})[-2:] == ("explained", "features")


def test_options_that_would_mean_two_things_are_refused():
    class Twice(Options):
        width: int = 1
        """Channels."""
        batch: int = 2
        """Another one than the training's."""

    with pytest.raises(ValueError, match="the options batch of the network 'twice' have names of options of its training"):
        options_of(Peer("twice", "", lambda options: None, Twice, "", "image"))

    class Wide(Options):
        width: int = 1
        """Channels."""

    with pytest.raises(ValueError, match="declares defaults for rate, which no training has"):
        options_of(Peer("wide", "", lambda options: None, Wide, "", "image", training={"rate": 1}))

"""The untrained network: seeded, with features of a sensible scale, and nothing learned."""

import csv

import numpy as np
import pytest
import torch
from torch import nn

from fplbench.errors import InputError
from fplbench.networks import weights
from fplbench.networks.unet import UNet
from fplbench.stacks import open_stack
from fplbench.training import train
from fplbench.training.loop.tensors import seeded
from fplbench.training.random_network import set_statistics

CPU = torch.device("cpu")


@pytest.fixture
def written(stacks, tmp_path):
    out = tmp_path / "random.safetensors"
    train("random", {"clean": stacks / "clean.npy"}, out, {"width": 8}, seed=3, device="cpu")
    return out


def test_the_weights_are_those_with_which_a_training_begins(written):
    network, metadata = weights.load(written)
    begun = dict(seeded(lambda: UNet(8), 3, CPU).named_parameters())
    assert metadata["output"] == "random" and metadata["config"] == {"width": 8} and metadata["seed"] == 3
    assert all(torch.equal(tensor, begun[name]) for name, tensor in network.named_parameters())


def test_features_have_mean_0_and_variance_1_before_each_relu(stacks, written):
    """By the definition of a batch norm, for the images that gave it its statistics: all six are one batch."""
    network, _ = weights.load(written)
    features = []
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.register_forward_hook(lambda _module, _inputs, output: features.append(output))
    images = torch.from_numpy(np.array(open_stack(stacks / "clean.npy"))).unsqueeze(1) / 255
    with torch.inference_mode():
        output = network(images)
    assert len(features) == 18
    for feature in features:  # about: running variances divide by n - 1, and the lowest level has 24 pixels
        assert feature.mean((0, 2, 3)).abs().max() < 0.1
        assert feature.var((0, 2, 3)).mean() == pytest.approx(1, abs=0.1)
    with open(written.with_suffix(".csv"), newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert float(row["output_mean"]) == pytest.approx(float(output.mean()), abs=1e-4)
    assert float(row["output_deviation"]) == pytest.approx(float(output.std()), rel=1e-2) and output.std() > 0.01


def test_without_statistics_features_fade():
    """Why they are set: in a new network, hardly anything is left of an image at the lowest level."""
    images = torch.rand(4, 1, 32, 32, generator=torch.Generator().manual_seed(0))

    def deepest(network):
        found = []
        network.down[-1].register_forward_hook(lambda _module, _inputs, output: found.append(output.std()))
        with torch.inference_mode():
            network(images)
        return float(found[0])

    new, scaled = (seeded(lambda: UNet(8), 1, CPU).eval() for _ in range(2))
    set_statistics(scaled, [images])
    assert deepest(new) < 0.02 and 0.3 < deepest(scaled) < 2


def test_each_batch_of_images_counts_the_same_and_training_goes_on_as_before():
    norm = nn.BatchNorm2d(1)
    set_statistics(norm, [torch.full((2, 1, 2, 2), value) for value in (0.0, 1.0, 5.0)])
    assert norm.running_mean.item() == pytest.approx(2)
    assert norm.momentum == 0.1 and not norm.training


def test_it_takes_nothing_but_clean_images_and_a_width(stacks, tmp_path):
    with pytest.raises(InputError, match="steps"):
        train("random", {"clean": stacks / "clean.npy"}, tmp_path / "a.safetensors", {"steps": 5}, seed=1, device="cpu")
    with pytest.raises(InputError, match="needs --clean"):
        train("random", {}, tmp_path / "a.safetensors", {}, seed=1, device="cpu")

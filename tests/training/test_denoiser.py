"""The loss of supervised denoisers: what it compares, with every way of seeing the images."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from fplbench.errors import InputError
from fplbench.networks import weights
from fplbench.training import TRAININGS
from fplbench.training.denoiser import DenoiserLoss, DenoiserOptions
from fplbench.training.explained import Explained
from fplbench.training.loop.meter import total_loss
from fplbench.training.loop.run import load_images
from fplbench.training.loop.trainer import Batches
from tests.helpers.training import EXPLANATION

CPU = torch.device("cpu")
BOTH = ("horizontal", "vertical")


@pytest.fixture
def images(stacks):
    return [load_images(stacks / f"{name}.npy", CPU) for name in ("clean", "noisy")]


@pytest.fixture
def explained(stacks):
    restoration, _ = weights.load(stacks / "restoration.safetensors")
    return Explained(restoration, torch.from_numpy(np.load(stacks / "features.npy")), EXPLANATION)


class Scaled(nn.Module):
    """Gives back a multiple of the images, and remembers the shapes of those that it saw."""

    def __init__(self, factor: float):
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(factor))
        self.seen: list[tuple[int, ...]] = []

    def forward(self, images):
        self.seen.append(tuple(images.shape))
        return self.factor * images


@pytest.mark.parametrize(("output", "factor"), [("image", 1.0), ("noise", 0.0)])
@pytest.mark.parametrize(("loss", "power"), [("squared", 2), ("absolute", 1)])
def test_the_unprocessed_image_is_as_far_from_the_clean_one_as_its_noise_is_strong(images, output, factor, loss, power):
    clean, noisy = images
    term = DenoiserLoss(Scaled(factor), output, clean, noisy, DenoiserOptions(loss=loss))(torch.arange(6), 0)["residual"]
    noise = (noisy.double() - clean.double()).numpy() / 255
    assert float(term[0].detach()) == pytest.approx((np.abs(noise) ** power).sum() / 6, rel=1e-5)
    assert term[1] == 1


def test_flips_and_draws_pair_each_noisy_image_with_its_clean_one(images):
    """Every draw here is the clean stack, so that a network that changes nothing is right about each image."""
    clean, _ = images
    twice = torch.cat([clean, clean])
    loss = DenoiserLoss(Scaled(1.0), "image", clean, twice, DenoiserOptions(patch=16), seed=1, flips=BOTH)
    assert float(loss(torch.tensor([2, 7, 11]), 5)["residual"][0].detach()) == 0


def test_l_fp_sees_whole_images_the_right_way_round(images, explained):
    """For a network that returns the image, L_FP does not depend on flips and crops, though the other term sees a crop."""
    clean, noisy = images
    options = DenoiserOptions(features=True, feature_interval=2, patch=16)
    plain = DenoiserLoss(Scaled(1.0), "image", clean, noisy, DenoiserOptions(features=True), explained=explained)
    network = Scaled(1.0)
    flipped = DenoiserLoss(network, "image", clean, noisy, options, seed=1, flips=BOTH, explained=explained)
    positions = torch.arange(6)
    found, expected = flipped(positions, 2)["feature"][0], plain(positions, 2)["feature"][0]
    assert "feature" not in flipped(positions, 3)
    assert network.seen == [(6, 1, 32, 32), (6, 1, 16, 16)]
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("micro_batch", [1, 2])
@pytest.mark.parametrize("step", [4, 5])
def test_micro_batches_see_the_same_draws_flips_and_crops_and_their_gradients_add_up(images, explained, micro_batch, step):
    """Without batch norm, whose statistics are those of what goes through at once."""
    clean, noisy = images
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.Tanh(), nn.Conv2d(3, 1, 3, padding=1))
    options = DenoiserOptions(features=True, feature_weight=1e-3, feature_interval=2, patch=16)
    stack = torch.cat([noisy, noisy.flip(0).contiguous()])
    positions = torch.from_numpy(Batches(6, 4, seed=1, draws=2).of(range(step, step + 1))[0])
    gradients = []
    for parts in (positions.split(4), positions.split(micro_batch)):
        each = copy.deepcopy(network)
        loss = DenoiserLoss(each, "noise", clean, stack, options, seed=1, flips=BOTH, explained=explained)
        for part in parts:
            (total_loss(loss(part, step)) * len(part) / 4).backward()
        gradients.append([parameter.grad for parameter in each.parameters()])
    for whole, added in zip(*gradients, strict=True):
        torch.testing.assert_close(added, whole, rtol=1e-4, atol=1e-5)


def test_explained_network_and_features_are_needed_only_if_they_are_part_of_the_loss():
    fpl, control = TRAININGS["fpl"], TRAININGS["residual_same_steps"]
    stacks = ("clean", "noisy", "validation_clean", "validation_noisy")
    assert fpl.needs({}) == fpl.needs({"feature_use": "weight"}) == (*stacks, "explained", "features")
    assert fpl.needs({"feature_weight": 0, "balance": 0.5}) == (*stacks, "explained", "features")
    assert fpl.needs({}, explains_network=False) == (*stacks, "features")
    assert fpl.needs({"feature_use": "weight", "feature_strength": 0}) == stacks
    assert fpl.needs({"feature_weight": 0}) == fpl.needs({"features": False}) == control.needs({}) == stacks
    assert TRAININGS["restoration"].needs({}) == ("clean", "validation_clean")


def test_without_features_only_what_every_denoiser_has_is_kept():
    options = DenoiserOptions(features=True, feature_weight=0.5, feature_interval=4, feature_start=9, draws=3, loss="absolute")
    assert options.without_features() == DenoiserOptions(draws=3, loss="absolute")
    weight = DenoiserOptions(features=True, feature_use="weight", feature_strength=2, feature_quantile=0.5, draws=3)
    assert weight.without_features() == DenoiserOptions(features=True, balance=0.5, draws=3).without_features()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"feature_use": "weight", "balance": 0.5}, "balance has no effect with feature_use weight"),
        ({"feature_strength": 2}, "feature_strength has no effect with feature_use difference"),
        ({"feature_quantile": 0.5}, "feature_quantile has no effect with feature_use difference"),
        ({"feature_use": "mask"}, "feature_use"),
        ({"balance": 0}, "balance"),
    ],
)
def test_options_of_another_use_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        TRAININGS["fpl"].needs(options)

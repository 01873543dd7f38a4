"""What trainings on noisy images alone have in common."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from fplbench.networks import weights
from fplbench.stacks import write_stack
from fplbench.training import train
from fplbench.training.fpl import new_denoiser
from fplbench.training.neighbor2neighbor import Neighbor2NeighborLoss, Neighbor2NeighborOptions
from fplbench.training.noise2void import Noise2VoidLoss, Noise2VoidOptions
from tests.helpers.training import TINY

LOSSES = {
    "noise2void": (Noise2VoidLoss, Noise2VoidOptions(), "hidden", (64, 64)),
    "neighbor2neighbor": (Neighbor2NeighborLoss, Neighbor2NeighborOptions(), "reconstruction", (70, 33)),  # not multiples of 32
}


@pytest.mark.parametrize("name", LOSSES)
def test_the_draws_depend_on_seed_and_step_and_go_on_over_micro_batches(name):
    kind, options, term, size = LOSSES[name]
    noisy = torch.from_numpy(np.random.default_rng(5).integers(0, 256, (4, *size)).astype(np.uint8))
    loss = kind(new_denoiser(2, 1, torch.device("cpu")), noisy, options, 1)

    def value(step):
        return float(loss(torch.arange(4), step)[term][0].detach())

    first, second_micro_batch, other = value(0), value(0), value(1)
    assert len({first, second_micro_batch, other}) == 3
    assert (value(0), value(0)) == (first, second_micro_batch)


@pytest.mark.parametrize(("name", "own"), [("noise2void", {"cell": 4}), ("neighbor2neighbor", {})])
def test_grey_images_are_denoised(tmp_path, name, own):
    """The clean image is constant, so that the mean of many pixels is a better guess than any one of them."""
    noisy = np.clip(np.random.default_rng(6).normal(128, 25, (8, 32, 32)), 0, 255).astype(np.uint8)
    write_stack(tmp_path / "noisy.npy", noisy)
    options = {"width": 4, "steps": 60, "batch": 4, "learning_rate": 1e-2, "warm_up": 5, **own}
    train(name, {"noisy": tmp_path / "noisy.npy"}, tmp_path / "a.safetensors", options, seed=1, device="cpu")
    network, metadata = weights.load(tmp_path / "a.safetensors")
    images = torch.from_numpy(np.random.default_rng(7).normal(128, 25, (2, 1, 32, 32)) / 255).float()
    with torch.inference_mode():
        denoised = (images - network(images)) * 255
    assert metadata["output"] == "noise"
    assert float(((denoised - 128) ** 2).mean()) < 0.5 * 25**2


@pytest.mark.parametrize("name", LOSSES)
def test_the_same_seed_gives_the_same_bits_and_another_does_not(tmp_path, name):
    noisy = tmp_path / "noisy.npy"
    write_stack(noisy, np.random.default_rng(8).integers(0, 256, (4, 64, 64)).astype(np.uint8))
    for run, seed in [("a", 1), ("b", 1), ("c", 2)]:
        options = {**TINY, "micro_batch": 1}
        train(name, {"noisy": noisy}, tmp_path / f"{run}.safetensors", options, seed=seed, device="cpu")
    first, again, other = (load_file(tmp_path / f"{run}.safetensors") for run in "abc")
    assert all(torch.equal(first[tensor], again[tensor]) for tensor in first)
    assert not torch.equal(first["last.weight"], other["last.weight"])

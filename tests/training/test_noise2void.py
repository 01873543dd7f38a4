"""The training Noise2Void: which pixels are hidden, what replaces them, and what is learned from it."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from fplbench.networks import weights
from fplbench.stacks import write_stack
from fplbench.training import train
from fplbench.training.fpl import new_denoiser
from fplbench.training.noise2void import Noise2VoidLoss, Noise2VoidOptions, hidden_pixels, replace_pixels
from tests.helpers.training import TINY

CPU = torch.device("cpu")


def test_each_cell_hides_one_pixel():
    hidden, _ = hidden_pixels((3, 24, 40), 8, 5, np.random.default_rng(0))
    image, rest = np.divmod(hidden, 24 * 40)
    cells = np.stack([image, rest // 40 // 8, rest % 40 // 8])
    assert len(hidden) == 3 * 3 * 5
    assert len(np.unique(cells, axis=1).T) == len(hidden)


def test_every_pixel_is_hidden_as_often_also_where_a_cell_reaches_beyond_the_image():
    """The number of times is binomial, with one in sixteen as its probability; five standard deviations are allowed."""
    draws = 4000
    hidden, _ = hidden_pixels((draws, 6, 9), 4, 2, np.random.default_rng(1))
    counts = np.bincount(hidden % 54, minlength=54)
    deviation = np.sqrt(draws / 16 * 15 / 16)
    assert np.abs(counts - draws / 16).max() < 5 * deviation


@pytest.mark.parametrize(("row", "column", "neighbours"), [(0, 0, 8), (0, 3, 14), (3, 3, 24), (6, 6, 8)])
def test_the_value_comes_from_any_other_pixel_of_the_window_and_never_from_the_pixel_itself(row, column, neighbours):
    """A window of 5x5 has 24 other pixels, 14 at an edge and 8 in a corner; all are equally likely."""
    hidden, sources = hidden_pixels((40_000, 7, 7), 4, 2, np.random.default_rng(2))
    chosen = sources[hidden % 49 == row * 7 + column] % 49
    counts = np.bincount(chosen, minlength=49).reshape(7, 7)
    rows, columns = np.nonzero(counts)
    assert counts[row, column] == 0
    assert len(rows) == neighbours
    assert max(np.abs(rows - row).max(), np.abs(columns - column).max()) == 2
    expected = len(chosen) / neighbours
    assert ((counts[rows, columns] - expected) ** 2 / expected).sum() < neighbours + 6 * np.sqrt(2 * neighbours)  # chi-squared


def test_the_value_comes_from_the_same_image():
    hidden, sources = hidden_pixels((5, 16, 16), 4, 5, np.random.default_rng(3))
    np.testing.assert_array_equal(hidden // 256, sources // 256)


def test_hidden_pixels_get_other_values_and_all_others_keep_theirs():
    images = torch.arange(2 * 16 * 16.0).view(2, 1, 16, 16)  # all values differ
    hidden, sources = (torch.from_numpy(place) for place in hidden_pixels((2, 16, 16), 4, 5, np.random.default_rng(4)))
    changed = (replace_pixels(images, hidden, sources) != images).flatten().nonzero().flatten()
    assert torch.equal(changed, hidden.sort().values)


def _loss_and_noise(network, **options):
    noisy = torch.from_numpy(np.random.default_rng(5).integers(0, 256, (4, 32, 32)).astype(np.uint8))
    return Noise2VoidLoss(network, noisy, Noise2VoidOptions(**options), 1), noisy


def test_only_hidden_pixels_have_a_gradient():
    class Recorder(torch.nn.Module):
        def forward(self, images):
            self.noise = torch.zeros_like(images, requires_grad=True)
            self.seen = images
            return self.noise

    network = Recorder()
    loss, noisy = _loss_and_noise(network, cell=4)
    loss(torch.arange(4), 0)["hidden"][0].backward()
    changed = network.seen != noisy[:, None] / 255
    assert torch.equal(network.noise.grad != 0, changed)


def test_a_denoiser_that_changes_nothing_has_twice_the_variance_of_the_noise_as_its_loss():
    """On grey images, a hidden pixel and the one that replaces it are independent: E (a - b)^2 is twice the variance."""
    loss, noisy = _loss_and_noise(new_denoiser(2, 1, CPU), cell=2)
    term, weight = loss(torch.arange(4).repeat(16), 0)["hidden"]
    assert weight == 1
    assert float(term.detach()) == pytest.approx(2 * float((noisy / 255.0).var()), rel=0.03)


def test_the_draws_depend_on_seed_and_step_and_go_on_over_micro_batches():
    loss, _ = _loss_and_noise(new_denoiser(2, 1, CPU))

    def value(step):
        return float(loss(torch.arange(4), step)["hidden"][0].detach())

    first, second_micro_batch, other = value(0), value(0), value(1)
    assert len({first, second_micro_batch, other}) == 3
    assert (value(0), value(0)) == (first, second_micro_batch)


def test_grey_images_are_denoised(tmp_path):
    """The clean image is constant, so that the mean of many pixels is a better guess than any one of them."""
    noisy = np.clip(np.random.default_rng(6).normal(128, 25, (8, 32, 32)), 0, 255).astype(np.uint8)
    write_stack(tmp_path / "noisy.npy", noisy)
    options = {"width": 4, "steps": 60, "batch": 4, "cell": 4, "learning_rate": 1e-2, "warm_up": 5}
    train("noise2void", {"noisy": tmp_path / "noisy.npy"}, tmp_path / "a.safetensors", options, seed=1, device="cpu")
    network, metadata = weights.load(tmp_path / "a.safetensors")
    images = torch.from_numpy(np.random.default_rng(7).normal(128, 25, (2, 1, 32, 32)) / 255).float()
    with torch.inference_mode():
        denoised = (images - network(images)) * 255
    assert metadata["output"] == "noise"
    assert float(((denoised - 128) ** 2).mean()) < 0.5 * 25**2


def test_the_same_seed_gives_the_same_bits_and_another_does_not(stacks, tmp_path):
    for name, seed in [("a", 1), ("b", 1), ("c", 2)]:
        options = {**TINY, "micro_batch": 1}
        train("noise2void", {"noisy": stacks / "noisy.npy"}, tmp_path / f"{name}.safetensors", options, seed=seed, device="cpu")
    first, again, other = (load_file(tmp_path / f"{name}.safetensors") for name in "abc")
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["last.weight"], other["last.weight"])

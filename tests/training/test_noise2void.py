"""The training Noise2Void: which pixels are hidden, what replaces them, and what is learned from it."""

import numpy as np
import pytest
import torch

from fplbench.training.fpl import new_denoiser
from fplbench.training.noise2void import Noise2VoidLoss, Noise2VoidOptions, hidden_pixels, replace_pixels

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

"""The training Neighbor2Neighbor: the sub-images, the two loss terms, and what is learned from them."""

import numpy as np
import pytest
import torch

from fplbench.errors import InputError
from fplbench.stacks import write_stack
from fplbench.training import train
from fplbench.training.fpl import new_denoiser
from fplbench.training.neighbor2neighbor import (
    NEIGHBORS,
    Neighbor2NeighborLoss,
    Neighbor2NeighborOptions,
    losses,
    neighbor_images,
)
from tests.helpers.training import TINY

CPU = torch.device("cpu")


def all_pairs(count, height, width):
    return torch.from_numpy(np.random.default_rng(0).integers(8, size=(count, height, width)))


def test_the_sub_images_hold_two_adjacent_pixels_of_each_cell():
    """The value of each pixel is its place, so that the sub-images tell which pixel they hold."""
    images = torch.arange(12 * 16.0).view(1, 1, 12, 16).repeat(3, 1, 1, 1)
    first, second = (image.long()[:, 0] for image in neighbor_images(images, all_pairs(3, 6, 8)))
    rows, columns = torch.arange(6)[:, None], torch.arange(8)
    for image in (first, second):
        assert torch.equal(image // 16 // 2, rows.expand(3, 6, 8))
        assert torch.equal(image % 16 // 2, columns.expand(3, 6, 8))
    apart = (first // 16 - second // 16).abs() + (first % 16 - second % 16).abs()
    assert torch.equal(apart, torch.ones(3, 6, 8, dtype=torch.long))


def test_the_pairs_are_the_eight_ordered_pairs_of_neighbours_in_a_cell():
    places = [(row, column) for row in (0, 1) for column in (0, 1)]
    adjacent = {
        (i, j) for i, (r, c) in enumerate(places) for j, (row, column) in enumerate(places) if abs(r - row) + abs(c - column) == 1
    }
    assert set(NEIGHBORS) == adjacent
    assert len(NEIGHBORS) == 8


def test_all_pairs_are_equally_likely():
    """A network that is given the sub-image with the place of each pixel shows which were drawn; chi-squared of twelve."""
    places = torch.arange(4.0).view(2, 2).repeat(64, 64)
    noisy = places.to(torch.uint8).expand(4, 128, 128)
    seen = []

    class Recorder(torch.nn.Module):
        def forward(self, images):
            seen.append(images)
            return torch.zeros_like(images)

    Neighbor2NeighborLoss(Recorder(), noisy, Neighbor2NeighborOptions(), 1)(torch.arange(4), 0)
    first = min(seen, key=lambda images: images.shape[-1])
    counts = np.bincount((first * 255).round().long().flatten(), minlength=4)
    expected = 4 * 64 * 64 / 4
    assert ((counts - expected) ** 2 / expected).sum() < 20  # of the 3 degrees of freedom, p < 0.0002


def test_the_identity_has_no_regularisation_and_the_difference_of_neighbours_as_its_reconstruction():
    images = torch.rand(2, 1, 8, 8, dtype=torch.float64)
    pairs = torch.full((2, 4, 4), NEIGHBORS.index((0, 1)))
    reconstruction, regularisation = losses(lambda seen: seen, images, pairs)
    expected = ((images[:, :, ::2, ::2] - images[:, :, ::2, 1::2]) ** 2).mean()
    torch.testing.assert_close(reconstruction, expected)
    assert float(regularisation) == 0


@pytest.mark.parametrize("factor", [0.0, 0.25, 2.0])
def test_a_linear_denoiser_has_the_terms_that_its_factor_gives(factor):
    """f(y) = c y: the reconstruction is E (c a - b)^2, and the regularisation E (c a - b - c (a - b))^2 = (c - 1)^2 E b^2."""
    images = torch.rand(2, 1, 8, 8, dtype=torch.float64)
    pairs = torch.full((2, 4, 4), NEIGHBORS.index((3, 1)))
    a, b = images[:, :, 1::2, 1::2], images[:, :, ::2, 1::2]
    reconstruction, regularisation = losses(lambda seen: factor * seen, images, pairs)
    torch.testing.assert_close(reconstruction, ((factor * a - b) ** 2).mean())
    torch.testing.assert_close(regularisation, (factor - 1) ** 2 * (b**2).mean())


def test_the_denoised_whole_image_has_no_gradient():
    """f(y) = c y with c = 1/2: of E (c a - b - d)^2 with d held fast, the derivative is 2 E a (c a - b - d)."""
    images = torch.rand(2, 1, 8, 8, dtype=torch.float64)
    factor = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    pairs = torch.full((2, 4, 4), NEIGHBORS.index((0, 2)))
    a, b = images[:, :, ::2, ::2], images[:, :, 1::2, ::2]
    losses(lambda seen: factor * seen, images, pairs)[1].backward()
    torch.testing.assert_close(factor.grad, 2 * (a * (0.5 * a - b - 0.5 * (a - b))).mean())


def test_the_weight_of_the_regularisation_rises_from_zero_to_gamma():
    noisy = torch.zeros(2, 32, 32, dtype=torch.uint8)
    loss = Neighbor2NeighborLoss(new_denoiser(2, 1, CPU), noisy, Neighbor2NeighborOptions(steps=200, gamma=2), 1)
    weights_of = [loss(torch.arange(2), step)["regularisation"][1] for step in (0, 50, 199)]
    assert weights_of == pytest.approx([0, 0.5, 1.99])


@pytest.mark.parametrize(
    ("micro_batch", "shape", "needed"), [(2, (16, 64), "32 pixels a side,"), (1, (32, 32), "64 pixels a side for")]
)
def test_small_images_are_refused(tmp_path, micro_batch, shape, needed):
    write_stack(tmp_path / "noisy.npy", np.zeros((2, *shape), np.uint8))
    inputs, options = {"noisy": tmp_path / "noisy.npy"}, {**TINY, "micro_batch": micro_batch}
    with pytest.raises(InputError, match=f"at least {needed}.* have {shape[0]}x{shape[1]}"):
        train("neighbor2neighbor", inputs, tmp_path / "a.safetensors", options, seed=1, device="cpu")

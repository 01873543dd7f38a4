"""Images that are denoised in tiles."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

import fplbench
from fplbench.networks import UNet, weights
from fplbench.networks.tiles import OVERLAP, Place, doubled, in_tiles, tile_places

TRAINED = Path(fplbench.__file__).parents[1] / "results/demo/models/lidc/gaussian/fpl.safetensors"


@pytest.mark.parametrize(("height", "width"), [(64, 64), (72, 200), (136, 80)])
def test_tiles_give_what_the_whole_gives_where_they_overlap_enough(height, width):
    """A filter that sees 4 pixels far stands in for the network: of tiles that share 16 pixels it sees no edge."""
    images = torch.rand(1, 1, height, width, dtype=torch.float64)
    kernel = torch.rand(1, 1, 9, 9, dtype=torch.float64)
    sides = []

    def local(tile, _=None):
        sides.extend(tile.shape[2:])
        return torch.nn.functional.conv2d(tile, kernel, padding=4)

    torch.testing.assert_close(in_tiles(local, images, tile=64, overlap=16, multiple=8), local(images))
    assert max(sides[:-2]) <= 64


@pytest.mark.parametrize("side", [8, 64, 72, 128, 1000, 4096])
@pytest.mark.parametrize("overlap", [0, 8, 60, 100])
def test_tiles_cover_a_side_once_and_fit_the_network(side, overlap):
    places = tile_places(side, 64, overlap, 8)
    kept = [(first, last) for _, _, first, last in places]
    assert kept[0][0] == 0 and kept[-1][1] == side
    assert all(end == begin for (_, end), (begin, _) in pairwise(kept))
    for begin, end, first, last in places:
        assert 0 <= begin <= first < last <= end <= side
        assert (end - begin) % 8 == 0


def test_a_seam_lies_in_the_middle_of_what_two_tiles_share():
    # Tiles [0, 64) and [48, 112) share [48, 64): each gives its half.
    assert tile_places(112, 64, 16, 8) == [(0, 64, 0, 56), (48, 112, 56, 112)]


@pytest.mark.parametrize("shape", [(48, 80), (16, 32)])
def test_the_features_of_a_tile_are_doubled_as_in_the_whole_image(shape):
    """Against torch's interpolation of the whole, at every place where a tile has both neighbours that it needs."""
    features = torch.rand(1, 3, *shape, dtype=torch.float64)
    whole = torch.nn.functional.interpolate(features, scale_factor=2, mode="bilinear", align_corners=True)
    torch.testing.assert_close(doubled(features, Place(0, 0, *shape)), whole)
    top, left = 4, 8
    tile = doubled(features[:, :, top : top + 10, left : left + 12], Place(top, left, *shape))
    inside = tile[:, :, 2:-2, 2:-2], whole[:, :, 2 * top + 2 : 2 * top + 18, 2 * left + 2 : 2 * left + 22]
    torch.testing.assert_close(*inside)


def test_tiles_of_a_unet_give_what_the_whole_gives_whatever_its_weights():
    """A pixel depends on 122 pixels to each side by the convolutions, and 15 by the pooling: tiles that share 288 are enough."""
    torch.manual_seed(1)
    network = UNet(width=2).eval()
    images = torch.rand(1, 1, 704, 528)
    with torch.inference_mode():
        tiled, whole = in_tiles(network, images, tile=512, overlap=288, multiple=16), network(images)
    torch.testing.assert_close(tiled, whole, rtol=0, atol=1e-5)


def picture(height, width, random):
    """Smooth shades, a disc with an edge, and noise of a tenth of the range, float32 (1, 1, H, W); and the noise."""
    y, x = np.mgrid[:height, :width] + random.integers(0, 500, (2, 1, 1))
    clean = 0.5 + 0.3 * np.sin(x / 70) * np.cos(y / 50) + 0.1 * (np.hypot(x - 400, y - 500) < 300)
    noise = random.normal(0, 0.1, clean.shape)
    return tuple(torch.tensor(image, dtype=torch.float32)[None, None] for image in (clean + noise, noise))


@pytest.fixture(scope="module")
def trained():
    """A U-Net of width 8 after 80 steps; with random weights, the far context counts as much as the near one."""
    torch.manual_seed(1)
    random, network = np.random.default_rng(0), UNet(width=8)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    for _ in range(80):
        noisy, noise = (torch.cat(images) for images in zip(*(picture(64, 64, random) for _ in range(8)), strict=True))
        loss = torch.nn.functional.mse_loss(network(noisy), noise)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.5 * 0.1**2  # it removes noise
    return network.eval()


@pytest.mark.slow
@pytest.mark.parametrize("own", [False, True])
def test_seams_of_a_trained_unet_are_below_half_a_grey_level(trained, own):
    """With the overlap of `fplbench apply` and tiles of half its size, anywhere on an image of 1104x912 pixels."""
    if own and not TRAINED.exists():
        pytest.skip(f"there is no {TRAINED}, which the demo trains")
    network = weights.load(TRAINED)[0] if own else trained
    noisy, _ = picture(1104, 912, np.random.default_rng(1))
    images = noisy.clip(0, 1)
    with torch.inference_mode():
        tiled, whole = in_tiles(network, images, tile=256, overlap=OVERLAP, multiple=16), network(images)
    assert whole.std() > 0.05  # it does predict noise
    assert 255 * (tiled - whole).abs().max() < 0.5

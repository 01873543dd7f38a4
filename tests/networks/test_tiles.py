"""Images that are denoised in tiles."""

from itertools import pairwise

import pytest
import torch

from fplbench.networks.tiles import in_tiles, tile_places


@pytest.mark.parametrize(("height", "width"), [(64, 64), (72, 200), (136, 80)])
def test_tiles_give_what_the_whole_gives_where_they_overlap_enough(height, width):
    """A filter that sees 4 pixels far stands in for the network: of tiles that share 16 pixels it sees no edge."""
    images = torch.rand(1, 1, height, width, dtype=torch.float64)
    kernel = torch.rand(1, 1, 9, 9, dtype=torch.float64)
    sides = []

    def local(tile):
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

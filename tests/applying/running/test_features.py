"""Feature maps of slices of any size."""

import numpy as np
import pytest
import torch

from fplbench.applying.running import feature_maps
from fplbench.applying.running.feature_maps import FeatureMaps
from fplbench.errors import InputError
from fplbench.explaining import guided_backprop
from fplbench.networks import weights
from tests.explaining.networks import smooth_images, trained_unet


@pytest.fixture(scope="module")
def network():
    return trained_unet(1)


@pytest.fixture(scope="module")
def restoration(network, tmp_path_factory):
    path = tmp_path_factory.mktemp("network") / "restoration.safetensors"
    weights.save(network, path, {"output": "image"})
    return path


def slice_of(height, width):
    torch.manual_seed(3)
    side = -(-max(height, width) // 16) * 16
    return np.ascontiguousarray(smooth_images(1, side)[0, 0].numpy()[:height, :width])


def test_a_map_is_that_of_guided_back_propagation(network, restoration):
    grey = slice_of(64, 48)
    expected = guided_backprop(network, torch.from_numpy(grey)[None, None])[0, 0].numpy()
    found = FeatureMaps(restoration, "cpu")(grey)
    assert found.dtype == np.float32
    assert np.abs(found - expected).max() < 1e-4 * np.abs(expected).max()


@pytest.mark.parametrize("size", [(17, 50), (100, 33), (64, 64)])
def test_a_slice_of_any_size_is_extended_by_reflection(network, restoration, size):
    grey = slice_of(*size)
    height, width = size
    padded = np.pad(grey, ((0, -height % 16), (0, -width % 16)), mode="reflect")
    expected = guided_backprop(network, torch.from_numpy(padded)[None, None])[0, 0, :height, :width].numpy()
    assert np.abs(FeatureMaps(restoration, "cpu")(grey) - expected).max() < 1e-4 * np.abs(expected).max()


def test_a_map_in_tiles_is_that_of_the_whole_slice(restoration, monkeypatch):
    """768 rows are two tiles that share 256 rows."""
    grey = slice_of(768, 48)
    maps = FeatureMaps(restoration, "cpu")
    tiled = maps(grey)
    monkeypatch.setattr(feature_maps, "TILE", 768)
    whole = maps(grey)
    assert not np.array_equal(tiled, whole)
    assert np.abs(tiled - whole).max() < 0.01 * whole.std()


def test_another_network_is_refused(tmp_path, network):
    path = tmp_path / "fpl.safetensors"
    weights.save(network, path, {"output": "noise"})
    with pytest.raises(InputError, match="predict the noise"):
        FeatureMaps(path, "cpu")

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from fplbench.cli import app
from fplbench.errors import InputError
from fplbench.explaining import feature_maps, guided_backprop
from fplbench.explaining.maps import open_features, write_features
from fplbench.explaining.options import ExplanationOptions
from fplbench.networks import UNet, weights
from fplbench.networks.inference import pad_to_multiple
from fplbench.stacks import write_stack


@pytest.fixture
def restoration(tmp_path):
    torch.manual_seed(0)
    weights.save(UNet(width=2), tmp_path / "restoration.safetensors", {"output": "image"})
    return tmp_path / "restoration.safetensors"


def images(height, width):
    return np.random.default_rng(0).integers(0, 256, (3, height, width), np.uint8)


def direct_maps(path, images):
    network, _ = weights.load(path)
    batch = torch.from_numpy(images).unsqueeze(1).float() / 255
    return guided_backprop(network, batch)[:, 0].numpy()


def test_the_maps_of_whole_multiples_of_16_are_those_of_guided_backprop(restoration):
    stack = images(32, 48)
    np.testing.assert_allclose(feature_maps(restoration, stack, chunk=2), direct_maps(restoration, stack), rtol=1e-4, atol=1e-7)


def test_other_sizes_are_extended_by_reflection_and_cropped(restoration):
    stack = images(20, 30)
    expected = direct_maps(restoration, pad_to_multiple(stack, 16))[:, :20, :30]
    found = feature_maps(restoration, stack)
    assert found.shape == stack.shape
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-7)


def test_the_command_takes_images_of_any_size(restoration, tmp_path):
    write_stack(tmp_path / "clean.npy", images(200, 301))
    arguments = ["features", *map(str, (restoration, tmp_path / "clean.npy", tmp_path / "maps.npy"))]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    maps, explanation = open_features(tmp_path / "maps.npy", restoration, tmp_path / "clean.npy")
    assert maps.shape == (3, 200, 301) and maps.dtype == np.float16
    assert explanation == ExplanationOptions().model_dump(mode="json")


def test_maps_of_other_images_are_refused(restoration, tmp_path):
    write_stack(tmp_path / "clean.npy", images(16, 16))
    write_features(restoration, tmp_path / "clean.npy", tmp_path / "maps.npy")
    write_stack(tmp_path / "other.npy", images(16, 32))
    with pytest.raises(InputError, match="were made with another clean stack"):
        open_features(tmp_path / "maps.npy", restoration, tmp_path / "other.npy")
    (tmp_path / "maps.npy").write_bytes(b"no maps")
    with pytest.raises(InputError, match=r"The feature maps .*maps\.npy cannot be used"):
        open_features(tmp_path / "maps.npy", restoration, tmp_path / "clean.npy")


def test_images_of_another_type_are_refused(restoration):
    with pytest.raises(InputError, match="holds float64 values; a stack holds uint8"):
        feature_maps(restoration, images(16, 16) / 255)

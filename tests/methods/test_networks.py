"""The methods that are trained networks."""

import numpy as np
import pytest
import torch

from fplbench.denoising.noise_level import estimate_noise
from fplbench.errors import InputError
from fplbench.methods import denoise, denoise_file
from fplbench.networks import DRUNet, UNet, weights
from fplbench.stacks import INDEX_COLUMNS, read_index, write_stack


def random_stack(*shape):
    return np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)


@pytest.fixture(scope="module")
def drunet():
    """A small DRUNet that changes images, but leaves their range."""
    torch.manual_seed(0)
    network = DRUNet(width=4, blocks=1).eval()
    with torch.no_grad():
        for tensor in network.parameters():
            tensor *= 1.5
    return network


@pytest.fixture(scope="module")
def drunet_file(drunet, tmp_path_factory):
    path = tmp_path_factory.mktemp("drunet") / "drunet.safetensors"
    weights.save(drunet, path)
    return path


def reference(network, image, level):
    """DRUNet on one image whose sides are multiples of 8, in [0, 1], the level in grey levels of 255."""
    with torch.inference_mode():
        output = network(torch.from_numpy(image[None, None] / np.float32(255)), torch.full((1, 1, 1, 1), level / 255))
    return output[0, 0].numpy() * 255


def test_dpir_gives_the_network_image_and_level_in_the_unit_interval(drunet, drunet_file):
    noisy = random_stack(3, 32, 40)
    denoised = denoise("dpir", noisy, weights=drunet_file, level=25, device="cpu")
    expected = np.stack([reference(drunet, image, 25.0) for image in noisy])
    assert expected.std() > 5
    assert np.abs(denoised - np.clip(expected, 0, 255)).max() <= 0.501


def test_dpir_estimates_the_level_of_each_image(drunet, drunet_file):
    quiet, loud = (128 + sigma * np.random.default_rng(1).normal(size=(64, 64)) for sigma in (4, 30))
    noisy = np.clip(np.rint([quiet, loud]), 0, 255).astype(np.uint8)
    denoised = denoise("dpir", noisy, weights=drunet_file, level="estimate", device="cpu")
    for image, result in zip(noisy, denoised, strict=True):
        expected = np.clip(reference(drunet, image, estimate_noise(image)), 0, 255)
        assert np.abs(result - expected).max() <= 0.501


def test_dpir_records_the_level_it_used(drunet_file, tmp_path):
    noisy = np.clip(np.rint(np.random.default_rng(1).normal(128, 20, (2, 32, 32))), 0, 255).astype(np.uint8)
    write_stack(tmp_path / "noisy.npy", noisy, [dict.fromkeys(INDEX_COLUMNS, number) for number in range(2)])
    levels = {}
    for level in (30, "estimate"):
        options = {"weights": str(drunet_file), "level": level, "device": "cpu"}
        denoise_file("dpir", tmp_path / "noisy.npy", tmp_path / "denoised.npy", options)
        levels[level] = [float(row["dpir_level"]) for row in read_index(tmp_path / "denoised.npy")]
    assert levels[30] == [30, 30]
    np.testing.assert_allclose(levels["estimate"], [estimate_noise(image) for image in noisy], atol=5e-4)


def test_dpir_pads_by_reflection_and_crops_back(drunet, drunet_file):
    noisy = random_stack(1, 37, 61)
    expected = reference(drunet, np.pad(noisy[0], ((0, 3), (0, 3)), mode="reflect"), 15.0)[:37, :61]
    denoised = denoise("dpir", noisy, weights=drunet_file, device="cpu")
    assert np.abs(denoised[0] - np.clip(expected, 0, 255)).max() <= 0.501


@pytest.mark.parametrize("turn", [lambda x: np.rot90(x, 1, (1, 2)), lambda x: x[:, ::-1], lambda x: x[:, :, ::-1]])
def test_dpir_x8_treats_all_directions_alike(drunet_file, turn):
    noisy = random_stack(2, 32, 32)
    denoised, turned = (
        denoise("dpir", np.ascontiguousarray(images), weights=drunet_file, x8=True, device="cpu").astype(int)
        for images in (noisy, turn(noisy))
    )
    assert np.abs(turn(denoised) - turned).max() <= 1  # summed in another order: a rounding may turn
    assert np.mean(turn(denoised) != turned) < 0.01
    plain = denoise("dpir", noisy, weights=drunet_file, device="cpu").astype(int)
    assert np.abs(plain - denoised).max() > 1


@pytest.mark.parametrize("name", ["fpl", "residual_same_steps", "residual_same_seconds"])
def test_the_predicted_noise_is_subtracted(name, tmp_path):
    network = UNet(width=4).eval()
    with torch.no_grad():
        network.last.weight.zero_()
        network.last.bias.fill_(10 / 255)  # predicts noise of 10 grey levels everywhere
    weights.save(network, tmp_path / "network.safetensors")
    noisy = random_stack(2, 37, 50)
    denoised = denoise(name, noisy, weights=tmp_path / "network.safetensors", device="cpu")
    np.testing.assert_array_equal(denoised, np.clip(noisy.astype(int) - 10, 0, 255))


@pytest.mark.parametrize("name", ["fpl", "dpir", "noise2void"])
def test_without_weights_the_sentence_says_how_to_give_them(name):
    with pytest.raises(InputError, match=rf"{name!r} needs its option weights"):
        denoise(name, random_stack(1, 16, 16))


def test_weights_of_another_network_are_refused(drunet_file):
    with pytest.raises(InputError, match="holds a DRUNet, but a UNet is needed"):
        denoise("fpl", random_stack(1, 16, 16), weights=drunet_file, device="cpu")


def test_a_network_that_gives_images_is_not_taken_for_one_that_gives_noise(tmp_path):
    weights.save(UNet(width=2), tmp_path / "restoration.safetensors", {"output": "image"})
    with pytest.raises(InputError, match="trained to predict the image, but one that predicts the noise"):
        denoise("fpl", random_stack(1, 16, 16), weights=tmp_path / "restoration.safetensors", device="cpu")


def test_a_weight_file_that_changed_is_read_again(tmp_path):
    noisy, results = random_stack(1, 16, 16), []
    for seed in (0, 1):
        torch.manual_seed(seed)
        weights.save(DRUNet(width=4, blocks=1), tmp_path / "drunet.safetensors")
        results.append(denoise("dpir", noisy, weights=tmp_path / "drunet.safetensors", device="cpu"))
    assert (results[0] != results[1]).any()

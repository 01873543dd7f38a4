"""A loaded denoiser takes images in HU or 8 bit, as arrays or tensors, and gives the same back."""

import re

import numpy as np
import pytest
import torch

from fplbench.applying.models.library import load_denoiser
from fplbench.errors import InputError
from fplbench.methods import denoise
from fplbench.networks import UNet, weights
from fplbench.networks.card import CARD_KEY, Card

WINDOW = (-160.0, 240.0)
ABOUT = {"method": "fpl", "label": "FPL", "noise": "gaussian", "noise_title": "Gaussian Noise", "dataset": "lits"}
CT = Card(**ABOUT, dataset_label="LiTS", modalities=("CT",), hounsfield=True, window=WINDOW, pixel_mm=(1.4, 1.5))


def write_weights(path, card: Card | None):
    """A U-Net that predicts a little noise in every pixel."""
    torch.manual_seed(1)
    network = UNet(2).eval()
    with torch.no_grad():
        for tensor in network.last.parameters():
            tensor /= 50
    metadata = {} if card is None else {CARD_KEY: card.model_dump(mode="json")}
    weights.save(network, path, {"output": "noise", **metadata})
    return path


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return write_weights(tmp_path_factory.mktemp("weights") / "fpl.safetensors", CT)


@pytest.fixture(scope="module")
def loaded(path):
    return load_denoiser(path, device="cpu")


def hu(*shape: int) -> np.ndarray:
    """Values from far below the window to far above it."""
    return np.random.default_rng(0).uniform(-1000, 1000, shape).astype(np.float32)


def grey(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def test_grey_levels_come_out_as_from_the_method(path, loaded):
    images = grey(3, 48, 40)
    expected = denoise("fpl", images, weights=path, device="cpu")
    assert np.array_equal(loaded(images), expected) and not np.array_equal(expected, images)
    assert np.array_equal(loaded(images[1]), expected[1])


def test_the_change_of_values_in_hu_is_that_of_the_network_within_its_window(path, loaded):
    """The formula of docs/own-scans.md, where neither a value nor its mirror image is in the outer 5 % of the window."""
    image = hu(32, 32)
    network, _ = weights.load(path)
    x = torch.from_numpy((image - WINDOW[0]) / 400).clip(0, 1)
    with torch.inference_mode():
        y = (x - network(x[None, None])[0, 0]).clip(0, 1)
    mirrored = WINDOW[0] + 400 * (2 * y - x).numpy()
    middle = (np.minimum(image, mirrored) > WINDOW[0] + 20) & (np.maximum(image, mirrored) < WINDOW[1] - 20)
    found = loaded(image)
    assert found.dtype == np.float32 and middle.sum() > 100
    assert np.abs(found - (image + 400 * (y - x).numpy()))[middle].max() < 1e-3
    assert np.abs(found - image)[middle].min() > 1e-3
    outside = (image <= WINDOW[0]) | (image >= WINDOW[1])
    assert np.array_equal(found[outside], image[outside]) and outside.any()


@pytest.mark.parametrize("shape", [(40, 33), (3, 40, 33), (2, 1, 40, 33)])
@pytest.mark.parametrize("make", [grey, hu])
def test_the_result_has_the_shape_and_kind_of_the_image(loaded, shape, make):
    image = make(*shape)
    found = loaded(image)
    assert found.shape == shape and found.dtype == image.dtype
    of_tensor = loaded(torch.from_numpy(image))
    assert isinstance(of_tensor, torch.Tensor) and np.array_equal(of_tensor.numpy(), found)


@pytest.mark.parametrize("dtype", ["int16", ">i2", "int32", "float64"])
def test_the_type_of_values_in_hu_does_not_matter(loaded, dtype):
    image = hu(40, 40).round()
    assert np.array_equal(loaded(image.astype(dtype)), loaded(image))


def test_images_are_denoised_each_by_itself_and_left_as_they_are(loaded):
    images = hu(2, 32, 32)
    before = images.copy()
    assert np.array_equal(loaded(images)[1], loaded(images[1])) and np.array_equal(images, before)


def test_images_without_a_unit_have_their_window_from_their_percentiles(tmp_path):
    card = Card(**ABOUT, modalities=("MR",), percentiles=(10, 90))
    loaded = load_denoiser(write_weights(tmp_path / "mr.safetensors", card), device="cpu")
    image = np.arange(32 * 32, dtype=np.float32).reshape(32, 32)
    changed = loaded(image) != image
    # A tenth of 1,024 values lies at each end.
    assert not changed[image < 102].any() and not changed[image > 922].any() and changed[(image > 200) & (image < 800)].all()


@pytest.mark.parametrize("shape", [(3, 8, 9), (8, 3), (3, 4, 3), (2, 1, 8, 4)])
def test_small_images_and_few_slices_are_not_taken_for_colours(loaded, shape):
    assert loaded(grey(*shape)).shape == shape


def test_a_volume_with_its_slices_first_is_denoised_slice_by_slice(loaded):
    """As the docstring says for an array of nibabel, which has them last."""
    volume = hu(40, 33, 6)
    found = loaded(volume.transpose(2, 1, 0))
    assert all(np.array_equal(found[number], loaded(np.ascontiguousarray(volume[:, :, number].T))) for number in range(6))


def test_the_layout_of_an_array_in_memory_does_not_matter(loaded, tmp_path):
    image = hu(40, 33)
    expected = loaded(image)
    locked = image.copy()
    locked.flags.writeable = False
    np.save(tmp_path / "image.npy", image)
    mapped = np.load(tmp_path / "image.npy", mmap_mode="r")
    for other in (np.asfortranarray(image), np.repeat(image, 2, axis=1)[:, ::2], locked, mapped, image.view(np.matrix)):
        assert np.array_equal(loaded(other), expected) and type(loaded(other)) is np.ndarray
    assert np.array_equal(loaded(image[::-1].copy()[::-1]), expected)
    assert np.array_equal(loaded(torch.from_numpy(image.T.copy()).T).numpy(), expected)


def test_a_result_shares_no_memory_with_the_image_and_has_no_gradient(loaded):
    outside = torch.full((8, 8), 3000.0, requires_grad=True)
    found = loaded(outside)
    assert torch.equal(found, outside) and not found.requires_grad
    found += 1
    assert (outside == 3000).all()


def test_it_says_what_it_is_for(loaded):
    expected = "FPL, Gaussian Noise: trained on LiTS (CT), window -160 to 240 HU, pixels of 1.4 x 1.5 mm. Not for clinical use."
    assert repr(loaded) == f"<{expected}>" and loaded.card == CT


def test_a_file_without_a_card_takes_grey_levels_only(tmp_path):
    loaded = load_denoiser(write_weights(tmp_path / "old.safetensors", None), device="cpu")
    assert loaded(grey(32, 32)).shape == (32, 32) and loaded.card is None
    with pytest.raises(InputError, match="does not say which window its denoiser was trained on"):
        loaded(hu(32, 32))


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.full((8, 8), np.nan, np.float32), "NaN or infinite"),
        (np.full((8, 8), np.inf), "NaN or infinite"),
        (np.zeros((8, 8), np.uint16), "values of type uint16"),
        (np.zeros((8, 8), bool), "values of type bool"),
        (np.zeros((8, 8), complex), "values of type complex128"),
        (np.zeros(8, np.int16), "has shape (8,)"),
        (np.zeros((2, 3, 8, 8), np.int16), "has shape (2, 3, 8, 8)"),
        (np.zeros((0, 8), np.int16), "has shape (0, 8)"),
        ([[1, 2]], "is of type list"),
        (np.full((8, 8), 1e300), "NaN or infinite"),
        (np.eye(8, dtype=np.float32), "All values are between -1 and 1"),
        (np.eye(8) - 0.5, "All values are between -1 and 1"),
        (
            np.zeros((8, 9, 3), np.uint8),
            "shape (8, 9, 3), as a colour image has it: give grey images (H, W) or (N, H, W), slices first",
        ),
        (np.zeros((8, 9, 4), np.int16), "as a colour image"),
        (np.zeros((8, 9, 1), np.int16), "as a colour image"),
        (torch.zeros(8, 9, 3), "as a colour image"),
        (np.ma.masked_less(np.arange(64.0).reshape(8, 8), 9), "masked array, whose mask would be lost"),
        (torch.zeros(8, 8, dtype=torch.bfloat16), "The tensor cannot be read as an array"),
        (torch.zeros(8, 8, dtype=torch.float16), "values of type float16"),
        (torch.zeros(8, 8).to_sparse(), "The tensor cannot be read as an array"),
        (torch.zeros(8, 8, device="meta"), "The tensor cannot be read as an array"),
    ],
)
def test_what_is_no_image_is_refused_in_one_sentence(loaded, image, message):
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        loaded(image)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("missing.safetensors", {}, "does not exist"),
        ("missing.zip", {}, "does not exist"),
        ("nlm", {}, "neither a weight file"),
        ("missing.safetensors", {"runtime": "tensorrt"}, "The runtime 'tensorrt' is not known"),
        ("missing.safetensors", {"runtime": "onnx"}, "only a bundle"),
    ],
)
def test_what_is_no_model_is_refused_in_one_sentence(tmp_path, name, options, message):
    with pytest.raises(InputError, match=message) as caught:
        load_denoiser(tmp_path / name if "." in name else name, **options)
    assert "\n" not in str(caught.value)

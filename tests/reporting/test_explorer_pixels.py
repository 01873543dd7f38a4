"""The images and feature maps in the explorer pages, compared with the stacks."""

import numpy as np
import pytest

from fplbench.errors import InputError
from fplbench.reporting.explorer.features import read_features
from fplbench.reporting.explorer.pixels import png_uri
from fplbench.stacks import open_stack, write_stack
from tests.helpers.explorer import CONFIG, METHODS, NOISES, arguments, data_of, decoded, write_maps, write_run, write_scores
from tests.helpers.scores import write_config


@pytest.fixture
def folder(tmp_path):
    return write_run(tmp_path)


@pytest.mark.parametrize("kind", ["noise", "flat", "few levels", "ramp", "one pixel"])
def test_images_are_the_same_after_decoding(kind):
    rng = np.random.default_rng(0)
    image = {
        "noise": rng.integers(0, 256, (37, 61), dtype=np.uint8),
        "flat": np.full((16, 16), 255, np.uint8),
        "few levels": rng.choice(np.array([0, 9, 255], np.uint8), (40, 24)),
        "ramp": np.arange(256, dtype=np.uint8).reshape(16, 16),
        "one pixel": np.array([[7]], np.uint8),
    }[kind]
    np.testing.assert_array_equal(decoded(png_uri(image)), image)


def test_an_image_of_noise_is_hardly_larger_than_its_bytes_and_a_flat_one_is_tiny():
    noise = np.random.default_rng(0).integers(0, 256, (256, 256), dtype=np.uint8)
    assert len(png_uri(noise)) < 1.02 * noise.size * 4 / 3  # base64 writes three bytes as four
    assert len(png_uri(np.zeros((256, 256), np.uint8))) < 1500


def test_every_picture_of_the_page_is_that_of_the_stacks(folder):
    data = data_of(folder)
    positions = [image["position"] for image in data["images"]]
    assert positions == [2, 1]  # the middle one, then that of the images before it
    assert [image["id"] for image in data["images"]] == ["i2", "i1"]
    assert [image["patient"] for image in data["images"]] == ["p1", "p0"]
    assert (data["height"], data["width"]) == (16, 16)
    pixels = data["pixels"]
    assert pixels.keys() == {"clean", *NOISES}
    for place, position in enumerate(positions):
        np.testing.assert_array_equal(decoded(pixels["clean"][place]), open_stack(arguments(folder)[0])[position])
        for noise in NOISES:
            noisy = open_stack(folder / "noisy" / "lidc" / noise / "test.npy")
            np.testing.assert_array_equal(decoded(pixels[noise]["noisy"][place]), noisy[position])
            for method in ("fpl", "median_filter"):
                stack = open_stack(folder / "denoised" / "lidc" / noise / f"{method}.npy")
                np.testing.assert_array_equal(decoded(pixels[noise][method][place]), stack[position])


def test_of_several_trainings_the_first_is_shown_and_the_mean_is_scored(folder):
    for noise in NOISES:
        write_stack(folder / "denoised" / "lidc" / noise / "fpl-2.npy", np.zeros((4, 16, 16), np.uint8))
    write_scores(folder, (*METHODS, "fpl-2"))  # 2 dB more, as the name is longer
    write_config(folder / "config.json", **CONFIG, repeats=2)
    data = data_of(folder)
    assert [method["name"] for method in data["methods"]] == ["clean", "noisy", "fpl", "median_filter"]
    stack = open_stack(folder / "denoised" / "lidc" / "gaussian" / "fpl.npy")
    np.testing.assert_array_equal(decoded(data["pixels"]["gaussian"]["fpl"][0]), stack[2])
    assert data["scores"]["means"]["gaussian"]["fpl"]["psnr"] == pytest.approx(36.623456, abs=1e-12)
    assert "Each network was trained with 2 seeds; the means are over all of its trainings." in data["notes"][0]
    assert "images are those of the first training" in data["storage"]


def test_maps_are_read_off_their_scale_to_within_half_a_step(folder):
    stored = write_maps(folder)
    features = data_of(folder, features=folder / "maps")["features"]
    assert features.keys() == {"gaussian"}
    assert features["gaussian"]["maps"].keys() == {"clean", "noisy", "fpl"}
    black, white = features["gaussian"]["scale"]
    shown = np.concatenate([stored[name].ravel() for name in ("clean", "noisy", "fpl")]).astype(float)
    assert (black, white) == pytest.approx(np.percentile(shown, [0.5, 99.5]), abs=1e-3)
    step = 3 / 255 * (white - black)
    for name, uris in features["gaussian"]["maps"].items():
        for place, uri in enumerate(uris):
            values = black + decoded(uri) / 255 * (white - black)
            expected = stored[name][place].astype(float).clip(black, white)
            assert np.abs(values - expected).max() <= step / 2 + 1e-6


def test_maps_of_the_shown_images_are_found_among_those_of_more(folder):
    stored = write_maps(folder, positions=(3, 0, 1))
    found = read_features(folder / "maps", ["gaussian"], ["clean"], [1, 3], (16, 16))["gaussian"]
    black, white = found["scale"]
    for uri, place in zip(found["maps"]["clean"], (2, 0), strict=True):
        values = black + decoded(uri) / 255 * (white - black)
        assert np.corrcoef(values.ravel(), stored["clean"][place].astype(float).ravel())[0, 1] > 0.99


def test_maps_of_other_images_or_sizes_and_other_files_are_refused(folder):
    write_maps(folder, positions=(0, 3))
    with pytest.raises(InputError, match=r"no feature maps of image 2 .* --map-images"):
        data_of(folder, features=folder / "maps")
    write_maps(folder, fpl=np.zeros((2, 8, 8), np.float16))
    with pytest.raises(InputError, match=r"gaussian.npz lacks .* maps of another size"):
        data_of(folder, features=folder / "maps")
    (folder / "maps" / "gaussian.npz").write_bytes(b"PK\x03\x04 and no archive")
    with pytest.raises(InputError, match=r"gaussian.npz is not a file with feature maps"):
        data_of(folder, features=folder / "maps")


def test_a_stack_that_was_deleted_names_the_key_that_keeps_it(folder):
    (folder / "denoised" / "lidc" / "gaussian" / "fpl.npy").unlink()
    with pytest.raises(InputError, match=r"fpl.npy does not exist: .*keep_denoised: true"):
        data_of(folder)
    write_config(folder / "config.json", **CONFIG, tables={"partial": True})
    data = data_of(folder)
    assert data["pixels"]["gaussian"].keys() == {"noisy", "median_filter"}
    assert data["pixels"]["poisson"].keys() == {"noisy", "fpl", "median_filter"}


def test_a_missing_noisy_stack_is_not_said_to_have_been_deleted(folder):
    (folder / "noisy" / "lidc" / "gaussian" / "test.npy").unlink()
    with pytest.raises(InputError, match=r"gaussian/test\.npy does not exist: run the workflow again\.$"):
        data_of(folder)


def test_stacks_with_other_images_are_refused(folder):
    rows = [{"image_id": f"other{i}", "patient": "p"} for i in range(4)]
    write_stack(folder / "denoised" / "lidc" / "poisson" / "fpl.npy", np.zeros((4, 16, 16), np.uint8), rows)
    with pytest.raises(InputError, match=r"fpl.csv does not list the same images"):
        data_of(folder)

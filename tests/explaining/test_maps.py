import numpy as np
import pytest
import scipy.ndimage
import torch
from typer.testing import CliRunner

from fplbench.cli import app
from fplbench.errors import InputError
from fplbench.explaining import feature_maps, guided_backprop
from fplbench.explaining.maps import open_features, write_features
from fplbench.explaining.options import ExplanationOptions
from fplbench.lesions.stack import COLUMNS, write_lesions
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


def test_when_memory_runs_out_fewer_images_are_explained_at_once(restoration, monkeypatch, caplog):
    """Of three images two are too many at once."""
    from fplbench.explaining import maps

    stack, tried = images(32, 48), []

    def explain(network, batch, options):
        tried.append(len(batch))
        if len(batch) > 1:
            raise torch.OutOfMemoryError("simulated")
        return original(network, batch, options)

    original = maps.explain
    monkeypatch.setattr(maps, "explain", explain)
    np.testing.assert_allclose(feature_maps(restoration, stack), direct_maps(restoration, stack), rtol=1e-4, atol=1e-7)
    assert tried == [3, 1, 1, 1] and "Explaining: out of memory with 3 images at once" in caplog.text


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


def test_features_of_other_resolutions_are_cropped_to_the_pixels_of_the_image(restoration):
    """Level 2 has a quarter of the rows and columns: 20 x 30 pixels are covered by 5 x 8."""
    stack = images(20, 30)
    found = feature_maps(restoration, stack, feature="encoder", level=2)
    assert found.shape == (3, 8, 5, 8)
    whole = feature_maps(restoration, pad_to_multiple(stack, 16), feature="encoder", level=2)
    np.testing.assert_array_equal(found, whole[:, :, :5, :8])


def test_maps_of_the_image_have_its_size(restoration):
    assert feature_maps(restoration, images(20, 30), feature="grad_cam").shape == (3, 20, 30)
    assert feature_maps(None, images(20, 30), feature="sobel").shape == (3, 2, 20, 30)


def test_extending_an_image_does_not_change_its_sobel_gradients():
    stack = images(20, 30)
    expected = np.stack([[scipy.ndimage.sobel(image / 255, axis, mode="mirror") / 8 for axis in (1, 0)] for image in stack])
    np.testing.assert_allclose(feature_maps(None, stack, feature="sobel"), expected, atol=1e-6)


def test_features_of_a_network_need_its_own_weight_file(restoration):
    with pytest.raises(InputError, match="The feature gradient needs the weight file of the lesion network"):
        feature_maps(None, images(16, 16), feature="gradient", network="lesion")
    with pytest.raises(InputError, match="lesion"):
        feature_maps(restoration, images(16, 16), network="lesion")


def lesions_of(stack):
    lesions = np.zeros(stack.shape, np.uint8)
    lesions[1, 2:5, 3:6], lesions[1, 10, 10] = 1, 2
    return lesions


@pytest.fixture
def annotated(tmp_path):
    """A stack with two lesions in its second image."""
    stack, path = images(16, 16), tmp_path / "clean.npy"
    write_stack(path, stack, [{"image_id": f"i{place}", "patient": "p"} for place in range(3)])
    rows = [dict.fromkeys(COLUMNS, "") | {"image_id": "i1", "lesion": number} for number in (1, 2)]
    write_lesions(path, lesions_of(stack), rows)
    return path


def test_the_mask_is_one_where_a_lesion_is(annotated, tmp_path):
    out = tmp_path / "mask" / "train.npy"
    result = CliRunner().invoke(
        app, ["features", "none", str(annotated), str(out), "--explanation", '{"feature": "mask"}'], catch_exceptions=False
    )
    assert result.exit_code == 0
    maps, explanation = open_features(out, None, annotated)
    assert maps.dtype == np.float16 and explanation["feature"] == "mask"
    np.testing.assert_array_equal(maps, lesions_of(maps) > 0)


def test_a_mask_of_a_share_of_the_annotations_is_empty_elsewhere(tmp_path):
    stack, path = images(16, 16), tmp_path / "clean.npy"
    write_stack(path, stack, [{"image_id": f"i{place}", "patient": "p"} for place in range(3)])
    lesions = np.zeros((3, 16, 16), np.uint8)
    lesions[:, 2:4, 2:4] = 1
    rows = [dict.fromkeys(COLUMNS, "") | {"image_id": f"i{place}", "lesion": 1} for place in range(3)]
    write_lesions(path, lesions, rows)
    write_features(None, path, tmp_path / "mask.npy", feature="mask", annotations=0.3)
    maps, _ = open_features(tmp_path / "mask.npy", None, path)
    np.testing.assert_array_equal(maps, lesions * np.array([1, 0, 0])[:, None, None])


def test_a_mask_of_other_lesions_is_refused(annotated, tmp_path):
    write_features(None, annotated, tmp_path / "mask.npy", feature="mask")
    write_lesions(annotated, np.zeros((3, 16, 16), np.uint8), [])
    with pytest.raises(InputError, match="were made with another lesion stack"):
        open_features(tmp_path / "mask.npy", None, annotated)


def test_a_mask_needs_annotations(tmp_path):
    write_stack(tmp_path / "clean.npy", images(16, 16))
    with pytest.raises(InputError, match="clean_lesions"):
        write_features(None, tmp_path / "clean.npy", tmp_path / "mask.npy", feature="mask")
    with pytest.raises(InputError, match="The feature mask cannot be found in images"):
        feature_maps(None, images(16, 16), feature="mask")


def test_features_without_a_network_are_opened_whatever_network_is_named(restoration, annotated, tmp_path):
    write_features(restoration, annotated, tmp_path / "sobel.npy", feature="sobel")
    for network in (None, restoration):
        maps, explanation = open_features(tmp_path / "sobel.npy", network, annotated)
        assert maps.shape == (3, 2, 16, 16) and explanation["feature"] == "sobel"


def test_a_record_with_an_unknown_explanation_is_refused(restoration, tmp_path):
    write_stack(tmp_path / "clean.npy", images(16, 16))
    write_features(restoration, tmp_path / "clean.npy", tmp_path / "maps.npy")
    record = tmp_path / "maps.json"
    record.write_text(record.read_text().replace('"guided"', '"other"'))
    with pytest.raises(InputError, match=r"maps\.npy cannot be used: explanation\.feature: there is no feature 'other'"):
        open_features(tmp_path / "maps.npy", restoration, tmp_path / "clean.npy")

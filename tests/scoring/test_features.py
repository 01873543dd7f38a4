import numpy as np
import pytest

from fplbench.errors import InputError
from fplbench.explaining import maps
from fplbench.scoring import features
from fplbench.stacks import write_stack
from tests.helpers.scores import index_rows, read_rows, run


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Stacks whose feature maps are the images themselves."""
    monkeypatch.setattr(maps, "feature_maps", lambda restoration, images, device, **explanation: images.astype(np.float32))
    clean = np.full((2, 16, 16), 100, np.uint8)
    write_stack(tmp_path / "clean.npy", clean, index_rows(2))
    write_stack(tmp_path / "median.npy", np.stack([clean[0] + np.uint8(10), clean[1] - np.uint8(20)]))
    write_stack(tmp_path / "perfect.npy", clean)
    return tmp_path


def test_errors_of_all_methods_are_written_by_image(folder):
    paths = [folder / "median.npy", folder / "perfect.npy"]
    features.write_feature_errors("weights", folder / "clean.npy", paths, folder / "errors.csv")
    rows = read_rows(folder / "errors.csv")
    assert [(row["method"], row["image_id"]) for row in rows] == [
        ("median", "i0"), ("median", "i1"), ("perfect", "i0"), ("perfect", "i1"),
    ]  # fmt: skip
    np.testing.assert_allclose([float(row["feature_error"]) for row in rows], [0.01, 0.04, 0, 0], rtol=1e-12)


def test_a_stack_of_another_shape_is_refused(folder):
    write_stack(folder / "median.npy", np.zeros((2, 16, 32), np.uint8))
    with pytest.raises(InputError, match=r"median.npy holds 2 images of 16x32 pixels"):
        features.write_feature_errors("weights", folder / "clean.npy", [folder / "median.npy"], folder / "errors.csv")
    assert not (folder / "errors.csv").exists()


def test_the_maps_of_chosen_images_are_kept_by_stack(folder):
    kept = features.KeptMaps(folder / "maps" / "gaussian.npz", [1])
    features.write_feature_errors("weights", folder / "clean.npy", [folder / "median.npy"], folder / "errors.csv", kept=kept)
    with np.load(kept.path) as archive:
        found = dict(archive)
    assert found.keys() == {"positions", "clean", "median"}
    assert found["positions"].tolist() == [1]
    assert found["clean"].dtype == found["median"].dtype == np.float16
    np.testing.assert_array_equal(found["clean"], np.full((1, 16, 16), 100))
    np.testing.assert_array_equal(found["median"], np.full((1, 16, 16), 80))
    assert len(read_rows(folder / "errors.csv")) == 2


def test_kept_maps_beyond_float16_have_its_largest_value(folder, monkeypatch):
    monkeypatch.setattr(maps, "feature_maps", lambda restoration, images, device: images.astype(np.float32) * -1e4)
    kept = features.KeptMaps(folder / "maps.npz", [0])
    features.write_feature_errors("weights", folder / "clean.npy", [], folder / "errors.csv", kept=kept)
    np.testing.assert_array_equal(np.load(kept.path)["clean"], np.full((1, 16, 16), -65504))


def test_the_command_keeps_the_maps_of_the_images_that_pages_show(folder):
    out = folder / "maps.npz"
    run(
        "feature-scores",
        "weights",
        folder / "clean.npy",
        folder / "e.csv",
        folder / "median.npy",
        "--maps",
        out,
        "--map-images",
        1,
    )
    assert np.load(out)["positions"].tolist() == [1]  # the middle one, as none has lesions
    run("feature-scores", "weights", folder / "clean.npy", folder / "e.csv", folder / "median.npy", "--maps", out)
    assert np.load(out)["positions"].tolist() == [1, 0]


def test_kept_maps_need_the_name_of_an_archive():
    with pytest.raises(InputError, match=r"maps.npy does not end in .npz"):
        features.KeptMaps("maps.npy", [0])


def test_features_of_several_channels_are_summed_over_pixels_and_channels(folder, monkeypatch):
    """Two channels, v and 2 v: with errors of 10 and 40 of 100 and 200, the error is (10^2 + 40^2) / (100^2 + 200^2)."""

    def two_channels(weights, images, device, **explanation):
        assert explanation == {"feature": "encoder", "network": "lesion"}
        values = images.astype(np.float32)
        return np.stack([values, np.where(values == 110, 240, 2 * values)], axis=1)[:, :, ::2, ::2]

    monkeypatch.setattr(maps, "feature_maps", two_channels)
    clean, median, out = folder / "clean.npy", folder / "median.npy", folder / "errors.csv"
    features.write_feature_errors("weights", clean, [median], out, feature="encoder", network="lesion")
    found = [float(row["feature_error"]) for row in read_rows(out)]
    np.testing.assert_allclose(found, [1700 / 50000, 0.04], rtol=1e-12)
    kept = features.KeptMaps(folder / "maps.npz", [0])
    with pytest.raises(InputError, match=r"cannot keep features of shape \(2, 8, 8\): only maps of the image, \(16, 16\)"):
        features.write_feature_errors("weights", clean, [median], out, kept=kept, feature="encoder", network="lesion")


def test_stacks_longer_than_a_chunk_have_all_their_rows_and_maps_in_order(tmp_path, monkeypatch):
    monkeypatch.setattr(maps, "feature_maps", lambda weights, images, device: images.astype(np.float32))
    clean = np.full((40, 4, 4), 100, np.uint8)
    denoised = clean + np.arange(40, dtype=np.uint8)[:, None, None]
    write_stack(tmp_path / "clean.npy", clean, index_rows(40))
    write_stack(tmp_path / "shifted.npy", denoised)
    kept = features.KeptMaps(tmp_path / "maps.npz", [35, 2])
    features.write_feature_errors("weights", tmp_path / "clean.npy", [tmp_path / "shifted.npy"], tmp_path / "e.csv", kept=kept)
    rows = read_rows(tmp_path / "e.csv")
    assert [row["image_id"] for row in rows] == [row["image_id"] for row in index_rows(40)]
    np.testing.assert_allclose([float(row["feature_error"]) for row in rows], np.arange(40) ** 2 / 1e4, rtol=1e-12)
    assert np.load(kept.path)["shifted"][:, 0, 0].tolist() == [135, 102]


def test_the_command_scores_any_explanation_without_a_network(tmp_path):
    """A ramp of another slope: of its Sobel gradients, the relative squared error is (1 - 2)^2."""
    ramp = np.tile(np.arange(32, dtype=np.uint8), (1, 32, 1))
    write_stack(tmp_path / "clean.npy", ramp, index_rows(1))
    write_stack(tmp_path / "steep.npy", 2 * ramp)
    out = tmp_path / "e.csv"
    run("feature-scores", "none", tmp_path / "clean.npy", out, tmp_path / "steep.npy", "--explanation", '{"feature": "sobel"}')
    assert float(read_rows(out)[0]["feature_error"]) == pytest.approx(1.0)

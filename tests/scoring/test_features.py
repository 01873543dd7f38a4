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

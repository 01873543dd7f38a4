import numpy as np
import pytest

from fplbench.errors import InputError
from fplbench.explaining import maps
from fplbench.scoring import features
from fplbench.stacks import write_stack
from tests.helpers.scores import index_rows, read_rows


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

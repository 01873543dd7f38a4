"""Radiographs of the RSNA challenge."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fplbench.datasets.loaders.radiograph import read_images
from fplbench.datasets.loaders.rsna import RsnaOptions, arrange, left_out, read_header
from tests.helpers.dicom_files import write_ct, write_radiograph


@pytest.fixture
def grey():
    y, x = np.mgrid[:64, :64]
    return (x * 2 + y).astype(np.uint8)


def test_jpeg_baseline_is_decoded_as_pillow_does(tmp_path, grey):
    path = write_radiograph(tmp_path / "a.dcm", grey)
    stream = BytesIO()
    Image.fromarray(grey).save(stream, "JPEG", quality=95)
    (plane,) = read_images(path, [None], RsnaOptions())
    assert np.array_equal(plane.values, np.asarray(Image.open(stream))) and plane.range == (0, 255)


def test_monochrome1_is_inverted(tmp_path, grey):
    (plain,) = read_images(write_radiograph(tmp_path / "a.dcm", grey), [None], RsnaOptions())
    path = write_radiograph(tmp_path / "b.dcm", grey, photometric="MONOCHROME1")
    (other,) = read_images(path, [None], RsnaOptions())
    assert np.array_equal(other.values, 255 - plain.values) and (plain.inverted, other.inverted) == (False, True)


def test_the_range_is_that_of_the_stored_bits(tmp_path):
    stored = np.full((4, 4), 4095, np.uint16)
    path = write_ct(tmp_path / "a.dcm", stored=stored, signed=False, modality="DX", BitsStored=12, HighBit=11)
    (plane,) = read_images(path, [None], RsnaOptions())
    assert plane.range == (0, 4095) and (plane.values == 4095).all()


@pytest.mark.parametrize(
    ("root", "path", "kind"),
    [
        ("rsna", "stage_2_train_images/a.dcm", ""),
        ("parent", "rsna-pneumonia-detection-challenge/stage_2_train_images/a.dcm", ""),
        ("stage_2_train_images", "a.dcm", ""),
        ("rsna", "stage_2_test_images/a.dcm", "a test image of the challenge"),
        ("rsna", "a.dcm", "not in stage_2_train_images"),
        ("rsna", "stage_2_train_labels.csv", ".csv, not an image"),
    ],
)
def test_only_training_images_are_taken_at_any_depth(root, path, kind):
    assert left_out(path, Path("/data") / root) == kind


def test_without_a_mapping_each_image_is_a_person(tmp_path, grey):
    paths = [write_radiograph(tmp_path / f"stage_2_train_images/{name}.dcm", grey) for name in "ba"]
    headers = {path.relative_to(tmp_path).as_posix(): read_header(path, RsnaOptions()) for path in paths}
    slices, _ = arrange(headers, RsnaOptions(root=tmp_path))
    assert [(one.image_id, one.patient) for one in slices] == [("a", "a"), ("b", "b")]


def test_a_mapping_groups_images_by_person(tmp_path):
    mapping = tmp_path / "map.csv"
    mapping.write_text("image_id,person\na,1\nb,1\nc,2\n")
    headers = {f"{name}.dcm": {"image": name, "row_spacing": None, "column_spacing": None} for name in "abcd"}
    slices, left_out = arrange(headers, RsnaOptions(root=tmp_path, persons=mapping))
    assert [(one.image_id, one.patient) for one in slices] == [("a", "1"), ("b", "1"), ("c", "2")]
    assert left_out == {"d.dcm": "not listed in the mapping to persons"}


def test_the_size_is_read_for_the_boxes(tmp_path):
    header = read_header(write_radiograph(tmp_path / "a.dcm", np.zeros((40, 56), np.uint8)), RsnaOptions())
    assert (header["rows"], header["columns"]) == (40, 56)

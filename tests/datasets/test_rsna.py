"""Radiographs of the RSNA challenge."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from fplbench.datasets.rsna import RsnaOptions, arrange, read_header, read_images, wanted
from fplbench.errors import InputError


@pytest.fixture
def grey():
    y, x = np.mgrid[:64, :64]
    return (x * 2 + y).astype(np.uint8)


def test_jpeg_baseline_is_decoded_as_pillow_does(tmp_path, radiograph_file, grey):
    path = radiograph_file(tmp_path / "a.dcm", grey)
    stream = BytesIO()
    Image.fromarray(grey).save(stream, "JPEG", quality=95)
    ((_, values, stored),) = read_images(path, [None], RsnaOptions())
    assert np.array_equal(values, np.asarray(Image.open(stream))) and stored == (0, 255)


def test_monochrome1_is_inverted(tmp_path, radiograph_file, grey):
    ((_, values, _),) = read_images(radiograph_file(tmp_path / "a.dcm", grey), [None], RsnaOptions())
    path = radiograph_file(tmp_path / "b.dcm", grey, photometric="MONOCHROME1")
    ((_, inverted, _),) = read_images(path, [None], RsnaOptions())
    assert np.array_equal(inverted, 255 - values)


def test_the_range_is_that_of_the_stored_bits(tmp_path, ct_file):
    stored = np.full((4, 4), 4095, np.uint16)
    path = ct_file(tmp_path / "a.dcm", stored=stored, signed=False, modality="DX", BitsStored=12, HighBit=11)
    ((_, values, bits),) = read_images(path, [None], RsnaOptions())
    assert bits == (0, 4095) and (values == 4095).all()


def test_only_training_images_are_taken():
    assert wanted("stage_2_train_images/a.dcm")
    assert not wanted("stage_2_test_images/a.dcm") and not wanted("stage_2_train_labels.csv")


def test_without_a_mapping_each_image_is_a_person(tmp_path, radiograph_file, grey):
    paths = [radiograph_file(tmp_path / f"stage_2_train_images/{name}.dcm", grey) for name in "ba"]
    headers = {path.relative_to(tmp_path).as_posix(): read_header(path, RsnaOptions()) for path in paths}
    slices, _ = arrange(headers, RsnaOptions(root=tmp_path))
    assert [(one.image_id, one.patient) for one in slices] == [("a", "a"), ("b", "b")]


def test_a_mapping_groups_images_by_person(tmp_path):
    mapping = tmp_path / "map.csv"
    mapping.write_text("image_id,person\na,1\nb,1\nc,2\n")
    headers = {f"{name}.dcm": {"image": name, "row_spacing": "", "column_spacing": ""} for name in "abcd"}
    slices, left_out = arrange(headers, RsnaOptions(root=tmp_path, persons=mapping))
    assert [(one.image_id, one.patient) for one in slices] == [("a", "1"), ("b", "1"), ("c", "2")]
    assert left_out == {"d.dcm": "not listed in map.csv"}


def test_a_mapping_without_its_columns_is_refused(tmp_path):
    mapping = tmp_path / "map.csv"
    mapping.write_text("image,patient\na,1\n")
    with pytest.raises(InputError, match=r"datasets\.rsna\.persons.*image_id and person"):
        arrange({}, RsnaOptions(root=tmp_path, persons=mapping))

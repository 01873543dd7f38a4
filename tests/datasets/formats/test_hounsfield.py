"""Hounsfield units of stored CT values."""

import numpy as np
import pytest

from fplbench.datasets.loaders.lidc import LidcOptions, read_images
from fplbench.datasets.registry import Unreadable
from tests.helpers.dicom_files import EXPLICIT, IMPLICIT, write_ct


def hounsfield_of(path):
    (plane,) = read_images(path, [None], LidcOptions())
    return plane.values


@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT])
@pytest.mark.parametrize("signed", [True, False])
def test_every_storage_gives_the_same_hounsfield_units(tmp_path, syntax, signed):
    expected = np.arange(-1024, -1024 + 576 * 7, 7).reshape(24, 24)
    path = write_ct(tmp_path / "a.dcm", hounsfield=expected, syntax=syntax, signed=signed)
    assert np.array_equal(hounsfield_of(path), expected)


def test_a_slope_is_applied_without_overflow(tmp_path):
    stored = np.full((4, 4), 30000, np.int16)
    path = write_ct(tmp_path / "a.dcm", stored=stored, RescaleSlope=2, RescaleIntercept=-1000)
    assert (hounsfield_of(path) == 59000).all()


@pytest.mark.parametrize(
    ("signed", "padding", "outside"),
    [(True, 63536, -2000), (True, -2000, -2000), (False, 63536, 63536), (True, None, -2000), (True, -32768, -32768)],
)
def test_outside_the_field_of_view_is_air(tmp_path, signed, padding, outside):
    stored = np.full((4, 4), 1064, np.int16 if signed else np.uint16)
    stored[0] = outside
    path = write_ct(tmp_path / "a.dcm", stored=stored, signed=signed)
    if padding is not None:
        add_padding(path, padding, signed and padding < 0)
    values = hounsfield_of(path)
    assert (values[0] == -1024).all() and (values[1:] == 40).all()


def test_a_padding_value_in_the_range_of_tissue_is_ignored(tmp_path):
    path = write_ct(tmp_path / "a.dcm", hounsfield=np.zeros((4, 4), np.int16), intercept=0)
    add_padding(path, 0, True)
    assert (hounsfield_of(path) == 0).all()


@pytest.mark.parametrize(
    ("stored", "slope", "intercept", "expected"),
    [
        (63536, 1, -1024, -1024),  # -2000 without its sign, outside the field of view
        (65036, 1, 0, -500),  # -500 without its sign
        (31000, 1, -1024, 29976),  # metal on the extended scale
        (60000, 0.0625, -1024, 2726),  # bone of a scanner that uses all 16 bits
    ],
)
def test_negative_values_that_lost_their_sign_are_not_white(tmp_path, stored, slope, intercept, expected):
    values = np.full((4, 4), stored, np.uint16)
    path = write_ct(tmp_path / "a.dcm", stored=values, signed=False, RescaleSlope=slope, intercept=intercept)
    assert (hounsfield_of(path) == expected).all()


@pytest.mark.parametrize("slope", ["nan", "inf", "1]0"])
def test_a_slope_that_is_not_a_number_makes_a_file_unreadable(tmp_path, slope):
    path = write_ct(tmp_path / "a.dcm", RescaleSlope="1.0")
    path.write_bytes(
        path.read_bytes().replace(b"\x28\x00\x53\x10DS\x04\x001.0 ", b"\x28\x00\x53\x10DS\x04\x00" + slope.ljust(4).encode())
    )
    with pytest.raises(Unreadable, match="slope or intercept is missing or not a number"):
        hounsfield_of(path)


@pytest.mark.parametrize(("fields", "message"), [({"RescaleSlope": 0}, "slope is zero"), ({"RescaleIntercept": None}, "missing")])
def test_values_without_a_rescale_slope_and_intercept_are_refused(tmp_path, fields, message):
    with pytest.raises(Unreadable, match=message):
        hounsfield_of(write_ct(tmp_path / "a.dcm", **fields))


def add_padding(path, value, signed):
    import pydicom
    from pydicom.dataelem import DataElement

    file = pydicom.dcmread(path)
    file.add(DataElement(0x00280120, "SS" if signed else "US", value))
    file.save_as(path)

"""What grey levels and pixels stand for."""

import numpy as np
import pytest

from fplbench.errors import InputError
from fplbench.lesions.units import per_level, pixel_size, to_hu


def row(**changes):
    return {"image_id": "i", "row_spacing_mm": "0.8", "column_spacing_mm": "0.8", "rows": "512", "columns": "384"} | changes


def test_the_ends_of_the_window_are_black_and_white():
    image = np.array([[0, 51, 255]], np.uint8)
    np.testing.assert_allclose(to_hu(image, (-1000, 400)), [[-1000, -720, 400]], atol=1e-3)
    assert per_level((-1000, 400)) == pytest.approx(1400 / 255)


def test_a_pixel_is_as_large_as_padding_and_shrinking_make_it():
    """The 512x384 image is padded to 512x512 and shrunk to 256x256."""
    assert pixel_size("s.npy", row(), 256) == pytest.approx(1.6)
    assert pixel_size("s.npy", row(row_spacing_mm="0.4", column_spacing_mm="1.6"), 512) == pytest.approx(0.8)


@pytest.mark.parametrize("blank", [{"row_spacing_mm": ""}, {"column_spacing_mm": ""}])
def test_without_spacing_the_size_is_not_known(blank):
    assert pixel_size("s.npy", row(**blank), 256) is None


@pytest.mark.parametrize("damaged", [{"row_spacing_mm": "wide"}, {"rows": ""}, {"row_spacing_mm": "-1"}])
def test_a_damaged_index_is_named(damaged):
    with pytest.raises(InputError, match=r"index of s\.npy does not tell the pixel size of 'i'"):
        pixel_size("s.npy", row(**damaged), 256)
    with pytest.raises(InputError, match="needs numbers in the columns row_spacing_mm"):
        pixel_size("s.npy", {"image_id": "i"}, 256)

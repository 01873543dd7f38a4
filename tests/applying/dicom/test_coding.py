"""Between stored integers and values: numbers worked out by hand."""

import numpy as np
import pytest

from fplbench.applying.dicom.coding import PixelCoding

TWELVE = PixelCoding(16, 12, False, slope=2, intercept=-1000)


def row(*values, dtype="u2"):
    return np.array([values], dtype)


def test_values_are_slope_times_stored_plus_intercept():
    assert TWELVE.values(row(0, 500, 4095)).tolist() == [[-1000, 0, 7190]]


def test_denoised_values_are_rounded_to_the_nearest_step():
    # (1.9 + 1000) / 2 = 500.95, (-0.9 + 1000) / 2 = 499.55
    assert TWELVE.encode(np.float32([[1.9, -0.9]]), row(7, 7)).tolist() == [[501, 500]]


def test_values_beyond_the_stored_bits_are_clipped():
    assert TWELVE.encode(np.float32([[1e6, -1e6]]), row(7, 7)).tolist() == [[4095, 0]]
    signed = PixelCoding(16, 12, True)
    assert signed.encode(np.float32([[1e6, -1e6]]), row(7, 7, dtype="i2")).tolist() == [[2047, -2048]]


@pytest.mark.parametrize("slope", [0.1, 1 / 3, 0.0031, 1.7])
def test_values_that_do_not_change_are_stored_as_before(slope):
    stored = np.arange(2**16, dtype=np.uint16).reshape(256, 256)
    coding = PixelCoding(16, 16, False, slope=slope, intercept=-1024)
    assert np.array_equal(coding.encode(coding.values(stored), stored), stored)


def test_an_integer_beyond_the_bits_stays_if_it_does_not_change():
    stored = row(-2000, 5, dtype="i2")  # -2000 needs more than 11 bits and a sign
    coding = PixelCoding(16, 10, True)
    assert coding.encode(np.float32([[-2000, 7]]), stored).tolist() == [[-2000, 7]]


def test_padding_stays_and_no_other_pixel_becomes_padding():
    coding = PixelCoding(16, 16, True, padding=(-2000, -1990))
    stored = row(-2000, -1995, 10, 10, 10, dtype="i2")
    assert coding.valid(stored).tolist() == [[False, False, True, True, True]]
    new = coding.encode(np.float32([[0, 0, -1999, -1991, 11]]), stored)
    assert new.tolist() == [[-2000, -1995, -2001, -1989, 11]]


def test_padding_at_the_end_of_the_range_is_left_on_the_other_side():
    coding = PixelCoding(8, 8, False, padding=(0, 0))
    assert coding.encode(np.float32([[-5, 9]]), row(3, 0, dtype="u1")).tolist() == [[1, 0]]


def test_an_unsigned_ct_value_beyond_the_scale_is_padding():
    coding = PixelCoding(16, 16, False, intercept=-1024, hounsfield=True)
    assert coding.valid(row(63536, 1024)).tolist() == [[False, True]]
    assert coding.valid(row(4000, 1024)) is None


def test_a_falling_scale_has_its_padding_at_the_other_end():
    """-1 * 1000 + 31710 = 30710 HU is the end of the scale, and 999 lies beyond."""
    coding = PixelCoding(16, 16, False, slope=-1, intercept=31710, hounsfield=True)
    assert coding.valid(row(999, 1000)).tolist() == [[False, True]]


def test_monochrome1_is_mirrored_for_the_model_and_back():
    coding = PixelCoding(16, 12, False, inverted=True)
    assert coding.values(row(0, 4095, 1000)).tolist() == [[4095, 0, 3095]]
    assert coding.encode(np.float32([[4095, 5, 3000]]), row(0, 4095, 1000)).tolist() == [[0, 4090, 1095]]


@pytest.mark.parametrize("inverted", [False, True])
def test_denoised_is_original_plus_residual_in_stored_integers(inverted):
    rng = np.random.default_rng(1)
    coding = PixelCoding(16, 12, False, slope=0.37, intercept=-7, padding=(0, 0), inverted=inverted)
    stored = rng.integers(0, 4096, (40, 40)).astype(np.uint16)
    before = coding.values(stored)
    denoised = coding.encode(before + rng.normal(0, 30, before.shape).astype(np.float32), stored)
    residual = coding.encode_residual(coding.values(denoised) - before, stored)
    assert np.array_equal(stored.astype(int) + residual, denoised)
    assert not residual[stored == 0].any()


def test_values_that_are_not_finite_leave_the_pixel_as_it_was():
    assert TWELVE.encode(np.float32([[np.nan, np.inf]]), row(7, 8)).tolist() == [[7, 8]]

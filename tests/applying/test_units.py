"""From the values of a scan to grey levels and back: what the denoiser changes, and nothing else, reaches the scan."""

import numpy as np
import pytest

from fplbench.applying.models import open_denoiser
from fplbench.applying.units import denoise_plane, edge_weight, to_eight_bit, to_grey

LUNG = (-1000.0, 400.0)


def plane(*values):
    return np.array([values], np.float32)


@pytest.mark.parametrize("window", [LUNG, (-160.0, 240.0), (0.0, 1.0), (-1024.0, 3071.0)])
def test_a_denoiser_that_changes_nothing_gives_every_int16_value_back_exactly(window):
    values = np.arange(-(2**15), 2**15, dtype=np.int16).reshape(256, 256)
    same = denoise_plane(values.astype(np.float32), None, window, lambda grey: grey.copy(), eight_bit=False)
    assert same.dtype == np.float32
    np.testing.assert_array_equal(same.astype(np.int16), values)


def test_rounding_to_8_bit_changes_nothing_by_itself():
    values = np.random.default_rng(1).uniform(-1100, 500, (64, 64)).astype(np.float32)
    np.testing.assert_array_equal(denoise_plane(values, None, LUNG, open_denoiser("noisy", {}), eight_bit=True), values)


def test_a_change_of_grey_is_a_change_in_units():
    # x = 0.5 and y = 0.25 in a window 2000 HU wide: 500 HU less.
    found = denoise_plane(plane(0), None, (-1000, 1000), lambda grey: grey / 2, eight_bit=False)
    np.testing.assert_allclose(found, [[-500]])


def test_an_8_bit_method_changes_values_by_multiples_of_its_step():
    """A grey level of a window of 255 units is one unit, so the fraction of each value stays."""
    values = np.random.default_rng(2).uniform(50, 200, (32, 32)).astype(np.float32)
    found = denoise_plane(values, None, (0, 255), open_denoiser("median_filter", {}), eight_bit=True)
    steps = (found - values).astype(np.float64)
    assert np.abs(steps).max() > 3
    np.testing.assert_allclose(steps, np.rint(steps), atol=1e-4)


def test_the_change_fades_over_the_last_twentieth_of_the_window():
    # Window 0 to 1000, so 50 at each end: at half of it, 25, the smoothstep is 1/2, at a fifth 3/25 - 2/125.
    values = plane(-1, 0, 10, 25, 50, 500, 950, 975, 990, 1000, 1001)
    fifth = 3 / 25 - 2 / 125
    np.testing.assert_allclose(edge_weight(values, (0, 1000)), [[0, 0, fifth, 0.5, 1, 1, 1, 0.5, fifth, 0, 0]], atol=1e-12)


def test_values_outside_the_window_padding_and_nan_stay_as_they_are():
    values = plane(-1000.01, -3024, 400, 3071, np.nan, np.inf, -np.inf, -100)
    valid = np.array([[True] * 7 + [False]])
    with np.errstate(invalid="raise"):
        found = denoise_plane(values, valid, LUNG, lambda grey: 1 - grey, eight_bit=False)
    np.testing.assert_array_equal(found, values)
    assert denoise_plane(values, None, LUNG, lambda grey: 1 - grey, eight_bit=False)[0, -1] != -100


def test_the_denoiser_sees_the_window_from_0_to_1_without_rounding():
    grey = to_grey(plane(-2000, -1000, -300, 399.86, 400, 3000, np.nan), LUNG)
    np.testing.assert_allclose(grey, [[0, 0, 0.5, 0.9999, 1, 1, 0]], atol=1e-7)
    assert grey.dtype == np.float32
    np.testing.assert_array_equal(to_eight_bit(grey), [[0, 0, 128, 255, 255, 255, 0]])

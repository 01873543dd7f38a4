"""From the values of a scan to grey levels and back: what the denoiser changes, and nothing else, reaches the scan."""

import numpy as np
import pytest

from fplbench.applying.models.denoisers import open_denoiser
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
    # x = 0.5 and y = 0.3 in a window 2000 HU wide: 400 HU less.
    found = denoise_plane(plane(0), None, (-1000, 1000), lambda grey: grey * np.float32(0.6), eight_bit=False)
    np.testing.assert_allclose(found, [[-400]], rtol=1e-6)


def test_an_8_bit_method_changes_values_by_multiples_of_its_step():
    """A grey level of a window of 255 units is one unit, so the fraction of each value stays."""
    values = np.random.default_rng(2).uniform(100, 155, (32, 32)).astype(np.float32)
    found = denoise_plane(values, None, (0, 255), open_denoiser("median_filter", {}), eight_bit=True)
    steps = (found - values).astype(np.float64)
    assert np.abs(steps).max() > 3
    np.testing.assert_allclose(steps, np.rint(steps), atol=1e-4)


def test_the_change_fades_over_the_last_twentieth_of_the_window():
    # Half of that at an end, the smoothstep is 1/2, at a fifth of it 3/25 - 2/125; a denoiser that changes next to nothing.
    grey = plane(0, 0.01, 0.025, 0.05, 0.5, 0.95, 0.975, 0.99, 1)
    fifth = 3 / 25 - 2 / 125
    np.testing.assert_allclose(edge_weight(grey, grey), [[0, fifth, 0.5, 1, 1, 1, 0.5, fifth, 0]], atol=1e-5)


def test_a_value_and_its_mirror_image_about_the_denoised_value_change_by_opposite_amounts():
    # Denoised, all are 0.1. By theory 0.12 and 0.08 have a depth of 0.08, 0.17 and 0.03 one of 0.03: three fifths of 0.05.
    weights = edge_weight(plane(0.12, 0.08, 0.17, 0.03, 0.21), np.float32(0.1))
    np.testing.assert_allclose(weights, [[1, 1, 3 * 0.6**2 - 2 * 0.6**3, 3 * 0.6**2 - 2 * 0.6**3, 0]], atol=1e-5)


@pytest.mark.parametrize("sigma", [10, 30])
@pytest.mark.parametrize(
    ("window", "clean"),
    [(LUNG, clean) for clean in (-1010, -1000, -985, -965, -930, -850, 330, 380, 400)]
    + [((-160.0, 240.0), clean) for clean in (-160, -150, -140, -120, -100, 200, 225, 240)],
)
def test_a_perfect_denoiser_does_not_shift_the_mean_near_an_end_of_the_window(window, clean, sigma):
    """Noise is symmetric, so what is removed has the mean 0; with 160,000 pixels its standard error is 0.075 HU at most."""
    values = (clean + np.random.default_rng(3).normal(0, sigma, (400, 400))).astype(np.float32)
    perfect = to_grey(np.full_like(values, clean), window)
    found = denoise_plane(values, None, window, lambda grey: perfect, eight_bit=False)
    outside = (values <= window[0]) | (values >= window[1])
    assert np.array_equal(found[outside], values[outside])
    assert abs(float((found - values).mean(dtype=np.float64))) < 5 * sigma / 400
    assert found.std() <= values.std() + 1e-3


def test_values_outside_the_window_padding_and_nan_stay_as_they_are():
    values = plane(-1000.01, -3024, 400, 3071, np.nan, np.inf, -np.inf, -100)
    valid = np.array([[True] * 7 + [False]])
    with np.errstate(invalid="raise"):
        found = denoise_plane(values, valid, LUNG, lambda grey: 1 - grey, eight_bit=False)
    np.testing.assert_array_equal(found, values)
    assert denoise_plane(values, None, LUNG, lambda grey: grey * np.float32(0.9), eight_bit=False)[0, -1] != -100


def test_the_denoiser_sees_the_window_from_0_to_1_without_rounding():
    grey = to_grey(plane(-2000, -1000, -300, 399.86, 400, 3000, np.nan), LUNG)
    np.testing.assert_allclose(grey, [[0, 0, 0.5, 0.9999, 1, 1, 0]], atol=1e-7)
    assert grey.dtype == np.float32
    np.testing.assert_array_equal(to_eight_bit(grey), [[0, 0, 128, 255, 255, 255, 0]])

"""The patterns of structured noise, one at a time."""

import numpy as np
import pytest
from scipy import stats

from fplbench.errors import InputError
from fplbench.noise import NOISES, synthesize
from fplbench.noise.synthesis import drawn_levels

ALPHA = 1e-3  # a correct distribution fails for one seed in a thousand, and seeds are fixed
NOTHING = {"stripes": 0, "lines": 0, "field": 0, "rings": 0}


def pattern(images=1, shape=(96, 128), amplitude=0.1, **parts):
    """The pattern alone, in units of the amplitude."""
    clean = np.full((images, *shape), 0.5, np.float32)
    noisy = synthesize("structured", clean, seed=6, amplitude=amplitude, **(NOTHING | parts))
    assert noisy.min() > 0 and noisy.max() < 1
    return (noisy.astype(np.float64) - 0.5) / amplitude


def test_stripes_are_one_sinusoid_of_unit_peak():
    stripes = pattern(images=4, stripes=1)
    assert np.all(np.abs(stripes.max(axis=(1, 2)) - 1) < 0.01)
    for one in stripes:
        # A sinusoid satisfies p[k-1] + p[k+1] = 2 cos(w) p[k] along every line.
        for neighbours, middle in ((one[:, :-2] + one[:, 2:], one[:, 1:-1]), (one[:-2] + one[2:], one[1:-1])):
            ratio = (neighbours * middle).sum() / np.square(middle).sum()
            np.testing.assert_allclose(neighbours, ratio * middle, atol=1e-4)


def frequencies(stripes):
    """Cycles per image of sinusoids (N, H, W): along each axis p[k-1] + p[k+1] = 2 cos(w) p[k]."""
    cycles = []
    for axis in (1, 2):
        p = np.moveaxis(stripes, axis, 0)
        cosine = ((p[:-2] + p[2:]) * p[1:-1]).sum(axis=(0, 2)) / (2 * np.square(p[1:-1]).sum(axis=(0, 2)))
        cycles.append(np.arccos(np.clip(cosine, -1, 1)) * stripes.shape[axis] / (2 * np.pi))
    return np.hypot(*cycles)


def test_stripes_have_the_given_frequency():
    np.testing.assert_allclose(frequencies(pattern(images=4, stripes=1, frequency=12)), 12, rtol=1e-3)


def test_a_range_of_frequencies_is_covered_and_recorded():
    found = frequencies(pattern(images=200, shape=(48, 64), stripes=1, frequency=[4, 20]))
    assert stats.kstest(found, stats.uniform(4, 16).cdf).pvalue > ALPHA
    options = NOISES["structured"].options(amplitude=0.1, frequency=[4, 20])
    recorded = [row["frequency"] for row in drawn_levels(NOISES["structured"], options, 6, map(str, range(200)))]
    np.testing.assert_allclose(found, recorded, rtol=1e-2)


def test_lines_are_a_row_and_a_column_offset():
    lines = pattern(lines=1, amplitude=0.05)[0]
    np.testing.assert_allclose(lines[1:, 1:] - lines[:-1, 1:] - lines[1:, :-1] + lines[:-1, :-1], 0, atol=1e-5)
    assert np.ptp(lines, axis=0).min() > 0 and np.ptp(lines, axis=1).min() > 0


def test_the_field_is_limited_to_its_band_and_has_unit_variance():
    field = pattern(images=64, field=1, band=[3, 10], amplitude=0.05)
    power = np.square(np.abs(np.fft.fft2(field)))
    ky, kx = np.fft.fftfreq(96, 1 / 96)[:, None], np.fft.fftfreq(128, 1 / 128)
    inside = (np.hypot(ky, kx) >= 3) & (np.hypot(ky, kx) <= 10)
    assert power[:, ~inside].sum() < 1e-9 * power.sum()
    # The power of an image is the mean of as many exponential variables as there are independent waves in the band.
    waves = inside.sum() / 2
    assert abs(np.square(field).mean() - 1) < 4 / np.sqrt(64 * waves)


def test_rings_surround_the_centre():
    rings = pattern(shape=(64, 64), rings=1)[0]
    np.testing.assert_allclose(rings, np.rot90(rings), atol=1e-6)
    np.testing.assert_allclose(rings, rings.T, atol=1e-6)
    assert rings.std() > 0.3


def test_between_whole_radii_rings_are_interpolated():
    rings = pattern(shape=(65, 65), rings=1, amplitude=0.05)[0]
    y, x = np.mgrid[-32:33, -32:33]
    radius = np.hypot(y, x)
    expected = np.interp(radius, np.arange(33), rings[32, 32:])
    np.testing.assert_allclose(rings[radius <= 32], expected[radius <= 32], atol=1e-5)


def test_offset_lifts_the_pattern():
    np.testing.assert_allclose(pattern(offset=2), 2, atol=1e-5)


def test_no_seam_between_opposite_borders_of_the_field():
    field = pattern(images=16, field=1, amplitude=0.05)
    across_the_border = np.abs(field[:, :, 0] - field[:, :, -1]).mean()
    inside = np.abs(np.diff(field, axis=2)).mean()
    assert across_the_border < 1.5 * inside


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"band": [5, 2]}, r"band is \[5, 2\]"),
        ({"band": [0, 2]}, r"band\.0 is 0"),
        ({"frequency": 0}, "frequency: 0 is neither a number above 0 and at most 128"),
    ],
)
def test_an_empty_band_is_refused(options, words):
    with pytest.raises(InputError, match=words):
        pattern(field=1, **options)

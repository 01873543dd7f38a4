"""The statistics of the quality page, against made-up slices whose noise and changes are known."""

import json

import cv2
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from fplbench.applying.quality import slice_statistics
from fplbench.applying.quality.statistics import is_measured
from fplbench.applying.quality.summary import histogram, summarise_tissues
from fplbench.applying.quality.tissues import CT
from fplbench.applying.scan import Plane
from tests.applying.quality.slices import SPACING, VALUES, WINDOW, body_on_a_table, phantom, statistics, white


def test_white_noise_of_every_tissue_is_found_within_five_percent():
    clean = phantom()
    slices = [statistics(clean + white(12, seed=seed), clean + white(5, seed=100 + seed)) for seed in range(5)]
    rows = summarise_tissues(slices, CT)
    assert [row.tissue.name for row in rows] == list(VALUES)
    for row in rows:
        assert row.noise == pytest.approx((12, 5), rel=0.05), row.tissue.name


def test_correlated_noise_is_underestimated_as_its_spectrum_says():
    """The detail of filtered noise has the power that both filters let pass."""
    import pywt

    sigma = 0.6
    clean = np.full((512, 512), 40, np.float32)
    noise = gaussian_filter(white(1, (512, 512)), sigma, mode="wrap")
    noise *= 10 / noise.std()
    found = statistics(clean + noise, clean)["tissues"]["soft_tissue"]["before"]
    passed = np.abs(np.fft.fft(gaussian_filter1d(np.eye(1, 512)[0], sigma, mode="wrap"))) ** 2
    high = np.abs(np.fft.fft(pywt.Wavelet("db2").dec_hi, 512)) ** 2
    expected = 10 * (passed * high).mean() / passed.mean()  # the variance has the square of it, a factor for each axis
    assert expected < 6
    assert found == pytest.approx(expected, rel=0.05)


def test_the_shift_and_the_spread_of_the_change_are_those_of_each_tissue():
    clean = phantom()
    before = clean + white(5)
    shifts = np.repeat(np.array([0, -3, 2, 0.5, 7], np.float32), 60)[:, None]
    after = before + shifts + white(2, seed=1)
    found = statistics(before, after)["tissues"]
    assert [found[name]["shift"] for name in VALUES] == pytest.approx([0, -3, 2, 0.5, 7], abs=0.2)
    assert [found[name]["spread"] for name in ("air", "lung", "fat")] == pytest.approx([2] * 3, rel=0.05)
    # Smoothed, the borders of lung and bone are still in the ranges of these.
    assert [found[name]["mean"] for name in ("air", "fat", "soft_tissue")] == pytest.approx([-1000, -90, 40], abs=0.5)


def test_large_changes_are_the_median_percentile_and_the_largest_of_all_slices():
    """The absolute changes of a slice are 0, 0.01, 0.02 ... 399.99 HU, times a factor: 99.9 % of the way is 399.59 HU."""
    before = np.full((200, 200), 40, np.float32)
    change = np.arange(40_000, dtype=np.float32).reshape(200, 200) / 100
    change[::2] *= -1
    slices = [statistics(before, before + factor * change) | {"number": number} for number, factor in enumerate((1, 3, 2))]
    (row,) = summarise_tissues(slices, CT)
    assert slices[0]["tissues"]["soft_tissue"]["percentile"] == pytest.approx(399.59, abs=0.01)
    assert row.percentile == pytest.approx(2 * 399.59, abs=0.02)
    assert row.largest == (pytest.approx(3 * 399.99, abs=0.05), 1)  # five digits are kept


def test_the_share_of_a_tissue_within_the_window_is_that_of_its_pixels():
    """Smoothed, all is lung, which lies outside the window, but every eighth pixel of parts of it is within."""
    before = np.full((200, 200), -700, np.float32)
    before[::4, ::2] = -100
    before[:100, :100] = -700
    (row,) = summarise_tissues([statistics(part, part, window=(-160, 240)) for part in (before, before[100:])], CT)
    assert row.tissue.name == "lung"
    assert row.inside == pytest.approx((30_000 + 20_000) / 8 / 60_000, abs=0.003)


def test_padding_and_nan_do_not_count():
    clean = phantom()
    before, after = clean + white(12), clean + white(5, seed=1)
    valid = np.ones(clean.shape, bool)
    valid[:, 150:] = False
    before[:, 150:] = 5000
    after[:, 150:] = 5000
    before[::40, ::50] = np.nan
    found = statistics(before, after, valid)
    json.dumps(found, allow_nan=False)
    assert found["tissues"]["soft_tissue"]["mean"] == pytest.approx(40, abs=1)
    assert found["tissues"]["fat"]["mean"] == pytest.approx(-90, abs=1)
    assert found["tissues"]["fat"]["largest"] < 100
    assert "bone" not in statistics(clean[:230], clean[:230], valid[:230])["tissues"]


def test_values_that_a_scanner_cut_off_have_no_noise_to_measure():
    """Half of the air is below the lowest value that is stored: its noise is not that of the scan, and is left out."""
    clean = np.full((200, 200), -1024, np.float32)
    before = np.maximum(clean + white(12, clean.shape), -1024)
    assert statistics(before, before)["tissues"]["air"]["before"] is None


@pytest.mark.parametrize("slices", [1, 2, 31, 32, 33, 88, 133, 1000])
def test_at_most_32_slices_are_measured_evenly_spread_and_the_middle_one_among_them(slices):
    numbers = [number for number in range(slices) if is_measured(number, slices)]
    assert min(slices, 16) <= len(numbers) <= 32
    assert slices // 2 in numbers and (slices > 32 or len(numbers) == slices)
    assert len(set(np.diff(numbers))) <= 1


def test_a_slice_that_is_not_measured_has_its_histogram_and_largest_change_all_the_same():
    before, after = body_on_a_table()
    whole, part = (slice_statistics(Plane(43, before), after, WINDOW, True, SPACING, slices) for slices in (None, 88))
    assert not part["measured"] and whole["measured"]
    assert (part["tissues"], part["spectrum"], part["edges"]) == ({}, None, None)
    for name in ("crop", "soft_crop", "histogram"):
        assert part[name] == whole[name], name


def test_nothing_changed_is_no_crop_and_no_relation():
    before = phantom() + white(5)
    found = statistics(before, before)
    assert found["crop"] is None and found["edges"] is None
    assert found["tissues"]["fat"]["shift"] == 0


def test_the_histogram_counts_changes_within_the_window():
    before = np.full((64, 64), 50, np.float32)
    before[:32] = 300  # outside the window
    after = before + np.where(np.arange(64) % 4 < 2, 3.0, -1.0).astype(np.float32)
    found = statistics(before, after, window=(0, 200))
    values, counts = histogram([found, found], (0, 200))
    assert counts.sum() == 2 * 16 * 32
    assert dict(zip(values[counts > 0].round(2), counts[counts > 0], strict=True)) == {3.0: 512, -1.0: 512}


def test_without_hounsfield_units_the_thirds_of_the_window_take_the_place_of_tissues():
    before = np.repeat(np.array([10, 50, 90], np.float32), 60)[:, None].repeat(200, axis=1) + white(2, (180, 200))
    found = statistics(before, before, window=(0, 100), hounsfield=False, spacing=None)
    assert {name: row["before"] for name, row in found["tissues"].items()} == pytest.approx(
        {"low": 2, "middle": 2, "high": 2}, rel=0.1
    )
    assert found["spectrum"]["deviations"][0] == pytest.approx(2, rel=0.1)


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (8, 8), (9, 300), (33, 31)])
def test_a_slice_of_any_size_has_statistics(shape):
    before = white(20, shape)
    found = statistics(before, before / 2)
    assert json.loads(json.dumps(found, allow_nan=False))["number"] == 3


def test_constant_padded_and_empty_slices_have_statistics():
    flat = np.zeros((64, 64), np.float32)
    for valid in (None, np.zeros((64, 64), bool)):
        json.dumps(statistics(flat, flat, valid), allow_nan=False)
        json.dumps(statistics(flat, flat + 1, valid), allow_nan=False)
    json.dumps(statistics(flat * np.nan, flat), allow_nan=False)


def test_statistics_are_small():
    before = cv2.resize(phantom(), (512, 512), interpolation=cv2.INTER_NEAREST) + white(20, (512, 512))
    assert len(json.dumps(statistics(before, cv2.GaussianBlur(before, (0, 0), 1)))) < 30_000

"""The statistics of the quality page, against made-up slices whose noise and structure are known."""

import base64
import json

import cv2
import numpy as np
import pytest
from matplotlib import colormaps
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from fplbench.applying.quality import slice_statistics
from fplbench.applying.quality.body import body_squares
from fplbench.applying.quality.spectrum import detrended, frequencies, patch_spectra
from fplbench.applying.quality.statistics import is_measured
from fplbench.applying.quality.structure import edge_relation, largest_change
from fplbench.applying.quality.summary import histogram, largest_crops, summarise_spectra, summarise_tissues
from fplbench.applying.quality.tissues import CT
from fplbench.applying.quality.whole_slice import slice_pictures
from fplbench.applying.scan import Plane

WINDOW = (-1200.0, 1000.0)
VALUES = {"air": -1000, "lung": -700, "fat": -90, "soft_tissue": 40, "bone": 600}
SPACING = (0.7, 0.7)


def phantom():
    """Five bands of tissue, float32 (300, 200)."""
    return np.repeat(np.array(list(VALUES.values()), np.float32), 60)[:, None].repeat(200, axis=1)


def white(sigma, shape=(300, 200), seed=0):
    return np.random.default_rng(seed).normal(0, sigma, shape).astype(np.float32)


def statistics(before, after, valid=None, window=WINDOW, hounsfield=True, spacing=SPACING):
    return slice_statistics(Plane(3, before, valid), after, window, hounsfield, spacing)


def whole(shape=(300, 200)):
    return np.full(shape, 255, np.uint8)


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
    assert "bone" not in statistics(clean[:230], clean[:230], valid[:230])["tissues"]


def test_values_that_a_scanner_cut_off_have_no_noise_to_measure():
    """Half of the air is below the lowest value that is stored: its noise is not that of the scan, and is left out."""
    clean = np.full((200, 200), -1024, np.float32)
    before = np.maximum(clean + white(12, clean.shape), -1024)
    assert statistics(before, before)["tissues"]["air"]["before"] is None


def test_white_noise_has_a_flat_spectrum_whose_integral_is_its_variance():
    clean = np.full((200, 200), 40, np.float32)
    slices = [statistics(clean + white(12, clean.shape, seed), clean + white(4, clean.shape, 1000 + seed)) for seed in range(60)]
    found = summarise_spectra(slices, SPACING)
    assert found.patches == 480
    assert found.deviations == pytest.approx((12, 4), rel=0.02)
    mean = {name: np.mean([each["spectrum"][name] for each in slices], axis=0) for name in ("before", "after")}
    assert mean["before"] == pytest.approx(12**2 * 0.7**2, rel=0.06)
    assert mean["after"] == pytest.approx(4**2 * 0.7**2, rel=0.06)
    assert found.before == pytest.approx(12**2 * 0.7**2, rel=0.08)
    assert found.frequencies[-1] == pytest.approx(0.5 / 0.7)


def test_the_spectrum_of_blurred_noise_is_that_of_the_blur():
    """NPS = sigma^2 dx dy exp(-4 pi^2 s^2 f^2), which also says that flat patches are not those with little noise."""
    clean = np.full((200, 200), 40, np.float32)
    found = []
    for seed in range(40):
        noise = gaussian_filter(white(30, clean.shape, seed), 1, truncate=8)
        found.append(patch_spectra(clean + noise, clean, gaussian_filter(clean + noise, 2), whole((200, 200)), None)["before"])
    rings = frequencies(None)
    low = rings < 0.25
    expected = 30**2 * np.exp(-4 * np.pi**2 * rings[low] ** 2)
    assert np.mean(found, axis=0)[low] == pytest.approx(expected, rel=0.12)


def test_patches_with_edges_are_not_used():
    """Left of the middle there are stripes of 30 HU."""
    clean = np.full((256, 256), 40, np.float32)
    clean[:, :128] += 30 * (np.arange(128) // 8 % 2)
    before = clean + white(5, clean.shape)
    found = statistics(before, clean)["spectrum"]
    assert found["deviations"][0] == pytest.approx(5, rel=0.1)


def test_a_trend_of_the_second_order_is_subtracted():
    row, column = np.indices((32, 32))
    trend = 3 + 0.5 * row - 2 * column + 0.1 * row**2 - 0.03 * row * column + 0.2 * column**2
    assert detrended(trend[None]) == pytest.approx(np.zeros((1, 32, 32)), abs=1e-9)


def squares(shape=(512, 512)):
    row, column = np.indices(shape) // 64
    return np.where((row + column) % 2, 40, 80).astype(np.float32)


def test_pure_noise_has_no_relation_to_edges():
    clean, mask = squares(), whole((512, 512))
    found = [edge_relation(-white(10, clean.shape, seed), clean, [mask]) for seed in range(8)]
    mean = {name: np.mean([each[name] for each in found]) for name in found[0]}
    assert mean["correlation"] == pytest.approx(0, abs=0.01)
    assert mean["displaced"] == pytest.approx(0, abs=0.01)
    assert mean["ratio"] == pytest.approx(1, abs=0.02)
    assert mean["large"] == pytest.approx(0.0027, abs=0.0003)  # of a normal distribution


def test_noise_that_is_left_has_no_relation_to_edges_either():
    """Half of the noise is left, so both the change and the gradient of the denoised image consist of it."""
    clean, mask = squares(), whole((512, 512))
    noise = gaussian_filter(white(30, clean.shape), 0.8)
    found = edge_relation(-0.5 * noise, clean + 0.5 * noise, [mask])
    assert found["correlation"] == pytest.approx(0, abs=0.02)
    assert found["ratio"] == pytest.approx(1, abs=0.04)


def test_a_blur_changes_edges_more_than_the_rest():
    before = squares() + white(5, (512, 512))
    after = gaussian_filter(before, 1)
    found = edge_relation(after - before, after, [whole((512, 512))])
    assert found["correlation"] - found["displaced"] > 0.15
    assert found["ratio"] > 1.3


def test_uneven_noise_gives_the_same_correlation_at_some_distance():
    """Noise and texture are both stronger on one side: the correlation is there, but not because of edges."""
    side = np.linspace(0.3, 3, 512)[None, :]
    texture = gaussian_filter(white(20, (512, 512), 1), 3) * side
    found = edge_relation((white(10, (512, 512), 2) * side).astype(np.float32), texture.astype(np.float32), [whole((512, 512))])
    assert found["correlation"] > 0.15
    assert found["correlation"] - found["displaced"] == pytest.approx(0, abs=0.04)


def test_the_largest_change_is_a_structure_and_not_a_noisy_pixel():
    before = np.full((200, 300), 40, np.float32)
    row, column = np.indices(before.shape)
    disc = (row - 60) ** 2 + (column - 220) ** 2 < 14**2
    before[disc] += 30
    before[150, 80] += 400
    after = np.full_like(before, 40)
    found = largest_change(before, after, after - before, (-160, 240))
    assert found["score"] == pytest.approx(30)
    assert (found["row"], found["column"]) == (pytest.approx(60, abs=8), pytest.approx(220, abs=8))
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(found["image"].split(",")[1]), np.uint8), cv2.IMREAD_UNCHANGED)
    top, left = found["row"] - 32, found["column"] - 32
    part = before[top : top + 64, left : left + 64]
    assert np.array_equal(picture[:, :64], np.rint((part + 160) / 400 * 255))
    assert np.all(picture[:, 64:128] == round(200 / 400 * 255))
    changed = (picture[:, 128:].astype(float) - 128) * found["bound"] / 127
    assert changed == pytest.approx(40 - part, abs=found["bound"] / 127)


def body_on_a_table():
    """A body of 40 HU with lungs in air, on a table; the change is larger in air and table than in a lung."""
    row, column = np.indices((256, 256))
    before = np.full((256, 256), -1000, np.float32)
    before[(row - 110) ** 2 + (column - 128) ** 2 < 90**2] = 40
    before[(row - 110) ** 2 + (column - 100) ** 2 < 30**2] = -850
    before[205:212] = 100
    after = before.copy()
    after[205:212, 20:60] -= 200  # of the table
    after[20:40, 20:40] += 150  # of the air
    after[100:106, 95:101] += 60  # in a lung
    return before, after


def test_the_largest_change_of_a_ct_is_that_within_the_body():
    before, after = body_on_a_table()
    found = statistics(before, after)["crop"]
    assert (found["row"], found["column"]) == (pytest.approx(103, abs=8), pytest.approx(98, abs=8))
    elsewhere = statistics(before, after, hounsfield=False)["crop"]
    assert elsewhere["row"] == pytest.approx(30, abs=8)  # in air


def test_where_no_body_is_the_whole_slice_counts():
    air = np.full((64, 64), -1000, np.float32)
    assert body_squares(air, 4).all()


def test_a_body_that_reaches_beyond_the_image_keeps_its_squares_at_the_border():
    assert body_squares(np.full((64, 66), 40, np.float32), 4).all()


def decoded(uri):
    return cv2.imdecode(np.frombuffer(base64.b64decode(uri.split(",")[1]), np.uint8), cv2.IMREAD_UNCHANGED)


def test_only_the_middle_slice_has_pictures():
    before = phantom()
    found = [slice_statistics(Plane(number, before), before + 1, WINDOW, True, SPACING, 4) for number in range(4)]
    assert [bool(each["pictures"]) for each in found] == [False, False, True, False]
    assert statistics(before, before)["pictures"] is None


@pytest.mark.parametrize("slices", [1, 2, 39, 40, 41, 88, 133, 1000])
def test_at_most_forty_slices_are_measured_evenly_spread_and_the_middle_one_among_them(slices):
    numbers = [number for number in range(slices) if is_measured(number, slices)]
    assert min(slices, 20) <= len(numbers) <= 40
    assert slices // 2 in numbers and (slices > 40 or len(numbers) == slices)
    assert len(set(np.diff(numbers))) <= 1


def test_a_slice_that_is_not_measured_has_its_histogram_and_largest_change_all_the_same():
    before, after = body_on_a_table()
    whole, part = (slice_statistics(Plane(43, before), after, WINDOW, True, SPACING, slices) for slices in (None, 88))
    assert not part["measured"] and whole["measured"]
    assert (part["tissues"], part["spectrum"], part["edges"]) == ({}, None, None)
    assert (part["crop"], part["histogram"]) == (whole["crop"], whole["histogram"])


def test_the_pictures_are_the_slice_at_the_window_and_the_change_in_colours():
    before = np.full((100, 80), 40, np.float32)
    before[:50] = -160
    after = before + 10
    after[:, 40:] -= 20
    found = slice_pictures(before, after, (-160, 240), None)
    assert (found["height"], found["width"], found["bound"]) == (100, 80, 10)
    assert np.array_equal(decoded(found["before"]), np.rint((before + 160) / 400 * 255))
    assert np.array_equal(decoded(found["after"]), np.rint(np.clip((after + 160) / 400 * 255, 0, 255)))
    colours = [decoded(found["change"])[50, column][::-1] for column in (10, 70)]
    expected = [np.rint(np.array(colormaps["cividis"](value)[:3]) * 255) for value in (1.0, 0.0)]
    assert np.array_equal(colours, expected)


@pytest.mark.parametrize(
    ("shape", "spacing", "size"),
    [
        ((512, 512), None, (512, 512)), ((3000, 2000), (0.1, 0.1), (512, 341)), ((100, 200), (2.0, 1.0), (200, 200)),
        ((40, 512), (5.0, 0.5), (400, 512)),
    ],
)  # fmt: skip
def test_pictures_have_square_pixels_and_at_most_512_of_them(shape, spacing, size):
    found = slice_pictures(np.zeros(shape, np.float32), np.zeros(shape, np.float32), (0, 1), spacing)
    assert (found["height"], found["width"]) == size == decoded(found["before"]).shape


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
    assert len(json.dumps(statistics(before, cv2.GaussianBlur(before, (0, 0), 1)))) < 20_000


def test_crops_of_the_same_place_are_shown_once():
    places = [(0, 100, 9.0), (1, 104, 8.0), (2, 300, 7.0), (30, 100, 6.0)]
    slices = [{"number": number, "crop": {"row": row, "column": 50, "score": score}} for number, row, score in places]
    assert [number for number, _ in largest_crops([*slices, {"number": 5, "crop": None}])] == [0, 2, 30]

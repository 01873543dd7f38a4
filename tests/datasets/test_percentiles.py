"""Windows from percentiles: of an image, and of a series from nine of its slices."""

import json

import numpy as np
import pytest

from fplbench.datasets import SamplingOptions, sample_dataset
from fplbench.datasets.loaders.lidc import LidcOptions
from fplbench.datasets.percentiles import PercentileOptions, own_window, percentile_window, percentiles_of
from fplbench.datasets.registry import no_annotations
from fplbench.datasets.sampling.check import check_data
from fplbench.errors import InputError
from fplbench.registry import parse_options
from fplbench.stacks import open_stack, read_index
from tests.helpers.dicom_files import write_ct
from tests.helpers.loaders import change_loader

SAMPLING = SamplingOptions(train=9, validation=3, test=3, size=16)
SLICES = 20
MEASURED = (1, 3, 5, 7, 10, 12, 14, 16, 18)  # the middle of each ninth of 20 slices
BROKEN = b"1.2.840.10008.1.2.5\0"  # a compression that the pixels lack


class Unitless(PercentileOptions):
    """Options of a data set with the files of lidc."""


@pytest.fixture
def unitless(monkeypatch):
    """The data set lidc without a window of its own."""
    change_loader(monkeypatch, "lidc", options=Unitless, hounsfield=False, annotate=no_annotations)


def write_series(root, patients=4, scale=(1, 2, 5, 30)):
    """Four patients with 20 slices of 16x16 pixels each, of different brightness; returns the values by patient."""
    values = np.random.default_rng(0).gamma(2, 20, (patients, SLICES, 16, 16)).astype(np.int16)
    values *= np.array(scale, np.int16)[:, None, None, None]
    for patient in range(patients):
        for number in range(SLICES):
            path = root / f"{patient}/{number:02d}.dcm"
            write_ct(path, patient=f"{patient}", series=f"1.{patient}", z=number, hounsfield=values[patient, number])
    return values


def sample(root, folder, threads=1, **options):
    return sample_dataset("lidc", Unitless(root=root, **options), SAMPLING, 1, folder, threads)


def rows_of(folder):
    return [row for split in SAMPLING.counts() for row in read_index(folder / f"{split}.npy")]


@pytest.mark.parametrize("percentiles", [(0.5, 99.5), (0, 100), (10, 50)])
def test_the_window_is_between_percentiles_of_all_values_however_they_are_counted(percentiles):
    values = np.random.default_rng(1).normal(200, 50, 4000).round().astype(np.float32)
    expected = tuple(np.percentile(values, percentiles, method="inverted_cdf"))
    unique, counts = np.unique(values, return_counts=True)
    halves = np.unique(values[:2000], return_counts=True), np.unique(values[2000:], return_counts=True)
    parts, times = (np.concatenate(arrays) for arrays in zip(*halves, strict=True))
    assert percentile_window(values, percentiles) == expected
    assert percentile_window(unique, percentiles, counts) == percentile_window(parts, percentiles, times) == expected


def test_equal_percentiles_give_a_window_of_width_one_and_no_value_gives_none():
    assert percentile_window(np.full(9, 7.0), (0.5, 99.5)) == (7, 8)
    assert percentile_window(np.empty(0), (0.5, 99.5)) is None
    assert own_window(np.array([[np.nan, 2], [np.inf, 5]]), Unitless(percentiles=(0, 100))) == (2, 5)


def test_a_window_in_the_options_comes_first():
    assert percentiles_of(Unitless()) == (0.5, 99.5)
    assert percentiles_of(Unitless(window=(0, 9))) is None and percentiles_of(LidcOptions(window=(0, 9))) is None


@pytest.mark.parametrize("percentiles", [(3, 2), (5, 5), (-1, 99), (1, 101)])
def test_percentiles_out_of_order_are_refused(percentiles):
    with pytest.raises(InputError, match=r"the percentiles \[.*\] are not in order; they must be from 0 to 100"):
        parse_options(Unitless, {"percentiles": percentiles}, "datasets.mine")


@pytest.mark.slow
def test_each_series_has_the_window_of_nine_slices_spread_over_it(unitless, tmp_path):
    values = write_series(tmp_path / "in")
    summary = sample(tmp_path / "in", tmp_path / "out")
    windows = [np.percentile(of[list(MEASURED)], (0.5, 99.5), method="inverted_cdf") for of in values]
    assert len({tuple(window) for window in windows}) == 4
    for split in SAMPLING.counts():
        path = tmp_path / "out" / f"{split}.npy"
        for image, row in zip(open_stack(path), read_index(path), strict=True):
            low, high = windows[int(row["patient"])]
            assert (float(row["window_low"]), float(row["window_high"])) == (low, high)
            shown = np.clip((values[int(row["patient"]), int(row["slice"])] - low) / (high - low), 0, 1) * 255
            assert np.abs(image - shown).max() <= 0.5 + 1e-3
    assert (summary["window"], summary["percentiles"]) == (None, [0.5, 99.5])
    assert json.loads((tmp_path / "out/sampling.json").read_text()) == summary


@pytest.mark.slow
def test_the_number_of_processes_and_a_given_window_change_nothing_else(unitless, tmp_path):
    write_series(tmp_path / "in")
    sample(tmp_path / "in", tmp_path / "one")
    sample(tmp_path / "in", tmp_path / "three", threads=3)
    for path in (tmp_path / "one").iterdir():
        assert path.name == "headers.csv" or path.read_bytes() == (tmp_path / "three" / path.name).read_bytes()
    summary = sample(tmp_path / "in", tmp_path / "set", window=(0, 300))
    assert {(row["window_low"], row["window_high"]) for row in rows_of(tmp_path / "set")} == {("0.0", "300.0")}
    assert (summary["window"], summary["percentiles"]) == ([0, 300], None)


@pytest.mark.slow
def test_slices_that_cannot_be_read_do_not_count_and_a_series_without_a_window_is_not_used(unitless, tmp_path, caplog):
    """Patient 0 lacks two of the nine slices, patient 1 all of them; patients are not kept apart, so others take their place."""
    values = write_series(tmp_path / "in")
    for patient, numbers in ((0, MEASURED[:2]), (1, MEASURED)):
        for number in numbers:
            path = tmp_path / f"in/{patient}/{number:02d}.dcm"
            path.write_bytes(path.read_bytes().replace(b"1.2.840.10008.1.2.1\0", BROKEN))
    sampling = SamplingOptions(train=24, validation=6, test=6, size=16, split="random_slice")
    options = Unitless(root=tmp_path / "in", max_unreadable=0.9)
    sample_dataset("lidc", options, sampling, 1, tmp_path / "out")
    rows = rows_of(tmp_path / "out")
    assert "1" not in {row["patient"] for row in rows} and len(rows) == 36
    low, high = np.percentile(values[0][list(MEASURED[2:])], (0.5, 99.5), method="inverted_cdf")
    assert {(float(row["window_low"]), float(row["window_high"])) for row in rows if row["patient"] == "0"} == {(low, high)}
    assert "none of the slices that give its series a window can be read" in caplog.text
    assert caplog.text.count("Unreadable: 0/01.dcm") == 1


@pytest.mark.slow
def test_a_constant_series_is_near_empty(unitless, tmp_path):
    for patient in range(4):
        for number in range(SLICES):
            image = np.full((16, 16), 50, np.int16)
            image[:8] += 10 * (number % 5) * (patient < 3)
            write_ct(
                tmp_path / f"in/{patient}/{number}.dcm", patient=f"{patient}", series=f"1.{patient}", z=number, hounsfield=image
            )
    sampling = SamplingOptions(train=9, validation=3, test=3, size=16, split="random_slice")
    sample_dataset("lidc", Unitless(root=tmp_path / "in"), sampling, 1, tmp_path / "out")
    assert {row["patient"] for row in rows_of(tmp_path / "out")} == {"0", "1", "2"}


@pytest.mark.slow
def test_the_contact_sheet_has_the_same_windows(unitless, tmp_path):
    """Every slice uses most of the range, although the brightest series is 30 times as bright as the darkest."""
    from PIL import Image

    write_series(tmp_path / "in")
    lines, possible = check_data("lidc", Unitless(root=tmp_path / "in"), SAMPLING, 1, 1, tmp_path / "sheet.png")
    assert possible and "Images shown: 16, of which near-empty: 0" in "\n".join(lines)
    sheet = np.asarray(Image.open(tmp_path / "sheet.png").convert("L"))
    for number in range(16):
        top, left = number // 4 * 272, number % 4 * 256
        assert np.percentile(sheet[top : top + 256, left : left + 256], 99) > 100  # at most 9 with the window of another series

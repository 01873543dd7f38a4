"""Scans without contrast, without values, of one slice, or of few pixels: no warning of a library is printed."""

import warnings

import numpy as np
import pytest

from fplbench.applying.options import ApplyOptions
from fplbench.applying.quality.charts import histogram_chart, spectrum_chart, strip_chart
from fplbench.applying.quality.summary import SpectrumSummary
from fplbench.applying.running.run import apply_model
from fplbench.errors import InputError
from tests.applying.scans import head, write_nifti, write_series

LUNG = (-1000.0, 400.0)
MIDDLES = np.linspace(-350, 350, 1001)


def with_nan():
    volume = head(slices=3).astype(np.float32)
    volume[1], volume[2, ::3], volume[2, 5] = np.nan, np.nan, np.inf
    return volume


def with_fill(value):
    volume = head(side=128, slices=2).astype(np.float32)
    volume[:, :40, :30] = volume[:, 64, 64] = value
    return volume


SCANS = {
    "constant": np.full((2, 64, 64), 40, np.int16),
    "constant and large": np.full((1, 256, 256), 40, np.int16),
    "constant and outside the window": np.full((2, 64, 64), -2000, np.int16),
    "NaN": np.full((2, 64, 64), np.nan, np.float32),
    "a slice of NaN": with_nan(),
    "one slice": head(slices=1),
    "8 x 8": head()[:, 20:28, 20:28],
    "7 x 7": head()[:, 20:27, 20:27],
    "one pixel": head(slices=1)[:, 20:21, 20:21],
    "1e20 for no value": with_fill(1e20),
    "-3.4e38 for no value": with_fill(-3.4e38),
}


@pytest.fixture(autouse=True)
def quiet(capfd):
    """A warning is an error, and nothing is printed."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield
    assert tuple(capfd.readouterr()) == ("", "")


@pytest.mark.slow
@pytest.mark.parametrize("scan", SCANS)
@pytest.mark.parametrize("method", ["noisy", "nlm", "wiener"])
def test_nothing_is_printed(tmp_path, method, scan):
    """The first method changes nothing."""
    volume = SCANS[scan]
    source = write_nifti(tmp_path / "a.nii", volume, dtype=volume.dtype)
    options = ApplyOptions(window=LUNG, force=True, residual=True, modality="CT")
    summary = apply_model(method, source, tmp_path / "b.nii", options)
    assert summary.slices == len(volume)
    assert (tmp_path / "b_quality.html").exists()


@pytest.mark.slow
def test_nothing_is_printed_of_a_constant_series(tmp_path):
    write_series(tmp_path / "in", np.full((2, 64, 64), 40, np.int16))
    assert apply_model("nlm", tmp_path / "in", tmp_path / "out", ApplyOptions(window=LUNG, force=True)).slices == 2


@pytest.mark.slow
@pytest.mark.parametrize("scan", ["1e20 for no value", "-3.4e38 for no value"])
def test_values_for_no_value_do_not_make_the_window(tmp_path, scan):
    source = write_nifti(tmp_path / "a.nii", SCANS[scan], dtype=np.float32)
    with pytest.raises(InputError, match=r"would get the window .*, but values beyond 1e\+13 cannot be measured: .* --window"):
        apply_model("nlm", source, tmp_path / "b.nii", ApplyOptions(modality="MR", force=True))


@pytest.mark.slow
def test_values_for_no_value_change_no_statistics_but_their_own(tmp_path, monkeypatch):
    """They count like NaN, which is warned about."""
    monkeypatch.setattr("fplbench.applying.running.suitability.value_warnings", lambda *_: [])
    pages = []
    for number, fill in enumerate((np.nan, -3.4e38)):
        source = write_nifti(tmp_path / f"{number}/a.nii", with_fill(fill), dtype=np.float32)
        apply_model("noisy", source, tmp_path / f"{number}/b.nii", ApplyOptions(window=LUNG, force=True, modality="CT"))
        pages.append((tmp_path / f"{number}/b_quality.html").read_text())
    assert pages[0] == pages[1]


@pytest.mark.parametrize("places", [{500: 9}, {1000: 9}, {0: 1, 1000: 1}, {501: 1}, {500: 10**9, 0: 1}])
@pytest.mark.parametrize("scale", [1, 1e-30, 1e10])
def test_a_histogram_of_equal_changes_is_drawn(places, scale):
    counts = np.zeros(1001, np.int64)
    counts[list(places)] = list(places.values())
    assert histogram_chart(MIDDLES * scale, counts, "HU").startswith("<img ")


@pytest.mark.parametrize("power", [0, 1e-30, 5, 1e20])
def test_a_flat_spectrum_is_drawn(power):
    levels = np.full(16, float(power))
    for after in (levels, 0 * levels):
        spectrum = SpectrumSummary(np.linspace(0, 0.7, 16), levels, after, (0.0, 0.0), 1, 1)
        assert spectrum_chart(spectrum, "HU", "mm").startswith("<img ")


@pytest.mark.parametrize("slices", [1, 3, 50])
@pytest.mark.parametrize("noise", [None, 0.0, 1e10])
def test_a_scan_of_equal_slices_is_drawn(slices, noise):
    tissues = {"soft": {"before": noise, "after": noise, "shift": 0.0}}
    found = [{"number": number, "tissues": tissues} for number in range(slices)]
    assert strip_chart(found, "soft", "HU").startswith("<img ")
    assert strip_chart([{"number": 0, "tissues": {}}], "soft", "HU").startswith("<img ")

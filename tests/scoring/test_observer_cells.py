import csv

import numpy as np
import pytest
from scipy.stats import norm

from fplbench.errors import InputError
from fplbench.lesions.signals import SignalOptions, write_signals
from fplbench.scoring.observer import ObserverOptions
from fplbench.scoring.observer_cells import write_detection
from fplbench.stacks import open_stack, write_stack

SIGMA, PIXEL, PER_LEVEL = 16.0, 2.0, 2.0  # grey levels, mm, HU
OPTIONS = ObserverOptions(resamples=200)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Discs of 3.5 pixels and 5 grey levels on an even body, and stacks of two methods: white noise, and half of the signal."""
    folder = tmp_path_factory.mktemp("signals")
    index = {"patient": "p", "rows": 80, "columns": 80, "row_spacing_mm": PIXEL, "column_spacing_mm": PIXEL,
             "window_low": -155, "window_high": 355}  # fmt: skip
    write_stack(folder / "test.npy", np.full((8, 80, 80), 115, np.uint8), [{"image_id": f"s{i}", **index} for i in range(8)])
    options = SignalOptions(contrasts=[5 * PER_LEVEL], sizes=[7 * PIXEL], pairs=800)
    write_signals(folder / "test.npy", folder, options, seed=1)
    rng = np.random.default_rng(0)
    for kind in ("absent", "present"):
        clean = open_stack(folder / f"{kind}.npy").astype(float)
        noisy = np.rint(clean + rng.normal(0, SIGMA, clean.shape)).clip(0, 255).astype(np.uint8)
        write_stack(folder / "stacks" / kind / "noisy.npy", noisy)
        halved = np.rint(115 + (noisy - 115.0) / 2).astype(np.uint8)
        write_stack(folder / "stacks" / kind / "halved.npy", halved)
    return folder


@pytest.fixture(scope="module")
def tables(folder):
    write_detection(folder, sorted(folder.glob("stacks/*/*.npy")), folder / "scores.csv", folder / "spectra.csv", OPTIONS, seed=1)
    found = []
    for name in ("scores", "spectra"):
        with open(folder / f"{name}.csv", newline="") as stream:
            found.append(list(csv.DictReader(stream)))
    return found


def test_a_disc_in_white_noise_is_detected_as_the_closed_form_says(tables):
    noisy = next(row for row in tables[0] if row["method"] == "noisy")
    ideal = 5 * np.sqrt(np.pi * 3.5**2) / SIGMA  # of which the channels keep more than 95 %
    assert 0.9 * ideal < float(noisy["dprime"]) < 1.05 * ideal
    assert float(noisy["dprime_low"]) < float(noisy["dprime"]) < float(noisy["dprime_high"])
    assert float(noisy["auc"]) == pytest.approx(norm.cdf(float(noisy["dprime"]) / np.sqrt(2)), abs=0.02)
    assert noisy["pairs"] == "800" and noisy["gain"] == ""
    assert float(noisy["psnr"]) == pytest.approx(20 * np.log10(255 / SIGMA), abs=0.1)


def test_less_contrast_with_as_much_less_noise_has_a_higher_psnr_and_is_detected_no_better(tables):
    noisy, halved = (next(row for row in tables[0] if row["method"] == name) for name in ("noisy", "halved"))
    assert float(halved["psnr"]) > float(noisy["psnr"]) + 5.5
    assert float(halved["signal_kept"]) == pytest.approx(0.5, abs=0.05)
    assert float(halved["gain"]) == pytest.approx(0, abs=0.05)
    assert float(halved["gain_low"]) < 0.02 and float(halved["gain_high"]) > -0.02


def test_the_spectrum_of_white_noise_has_the_unit_of_the_data_set(tables):
    values = [float(row["value"]) for row in tables[1] if row["method"] == "noisy" and row["spectrum"] == "nps"]
    assert values == pytest.approx([(SIGMA * PER_LEVEL * PIXEL) ** 2] * len(values), rel=0.1)


def test_a_contrast_that_is_halved_everywhere_is_no_loss_of_sharpness(tables):
    curve = [row for row in tables[1] if row["method"] == "halved" and row["spectrum"] == "ttf"]
    low = [row for row in curve if float(row["frequency"]) < 0.2 / PIXEL]
    assert [float(row["value"]) for row in low] == pytest.approx([1] * len(low), abs=0.15)
    assert max(float(row["frequency"]) for row in curve) == pytest.approx(0.5 / PIXEL)


def test_signals_of_other_images_are_named(folder, tmp_path):
    for name in ("absent.npy", "absent.csv", "present.npy", "present.csv"):
        (tmp_path / name).symlink_to(folder / name)
    text = (folder / "signals.csv").read_text()
    (tmp_path / "signals.csv").write_text(text.replace("s0_copy-000", "s0_other"))
    with pytest.raises(InputError, match=r"signals\.csv names the image 's0_other', which is not in its stacks"):
        write_detection(tmp_path, sorted(folder.glob("stacks/*/*.npy")), tmp_path / "a.csv", tmp_path / "b.csv", OPTIONS, seed=1)


def test_a_method_needs_both_of_its_stacks(folder):
    with pytest.raises(InputError, match=r"no stack present/noisy\.npy"):
        write_detection(folder, [folder / "stacks/absent/noisy.npy"], folder / "a.csv", folder / "b.csv", OPTIONS, seed=1)

import csv

import pytest
from PIL import Image

from fplbench.errors import InputError
from fplbench.files import write_csv
from fplbench.reporting.detectability import read_cells, write_detectability
from fplbench.reporting.labels import Labels
from fplbench.reporting.spectra_figure import spectra_figure
from fplbench.scoring.observer_cells import SCORE_COLUMNS, SPECTRUM_COLUMNS


def score(method, size, dprime, gain=None):
    row = dict.fromkeys(SCORE_COLUMNS, "")
    row |= {"method": method, "size_mm": size, "contrast": 100.0, "unit": "HU", "pairs": 200, "dprime": dprime}
    row |= {"dprime_low": dprime - 0.25, "dprime_high": dprime + 0.25, "auc": 0.9, "auc_low": 0.85, "auc_high": 0.95}
    row |= {"signal_kept": 0.75, "psnr": 25.5}
    return row | ({} if gain is None else {"gain": sum(gain) / 2, "gain_low": gain[0], "gain_high": gain[1]})


@pytest.fixture
def files(tmp_path):
    scores, spectra = tmp_path / "lidc" / "gaussian.csv", tmp_path / "spectra" / "lidc" / "gaussian.csv"
    rows = [score("noisy", size, dprime) for size, dprime in ((8.0, 1.0), (24.0, 2.5))]
    rows += [score("nlm", 24.0, 1.5, (-1.2, -0.8)), score("nlm", 8.0, 1.125, (-0.1, 0.35))]
    rows += [score("wiener", 24.0, 2.75, (0.125, 0.375)), score("wiener", 8.0, 1.0, (-0.1, 0.1))]
    write_csv(scores, rows, SCORE_COLUMNS)
    points = [
        dict(zip(SPECTRUM_COLUMNS, (method, kind, contrast, "HU", frequency, value), strict=True))
        for method in ("noisy", "nlm", "wiener")
        for kind, contrast in (("nps", ""), ("ttf", 100.0))
        for frequency, value in ((0.05, 1.0), (0.1, 0.5))
    ]
    write_csv(spectra, points, SPECTRUM_COLUMNS)
    return [scores], [spectra]


def test_arrows_are_where_the_interval_of_the_difference_leaves_zero_out(files, tmp_path):
    write_detectability(*files, tmp_path / "out", note="Made up.")
    lines = (tmp_path / "out" / "detectability.md").read_text().splitlines()
    cells = {line.split("|")[1].strip(): [cell.strip() for cell in line.split("|")[2:-1]] for line in lines if "|" in line}
    assert cells["Method"] == ["PSNR (dB)", "8 mm, 100 HU", "24 mm, 100 HU", "Signal"]
    assert cells["Noisy"] == ["25.50", "1.00 (0.75 – 1.25)", "2.50 (2.25 – 2.75)", "0.75"]
    assert cells["NL Mean."][1:3] == ["1.12 (0.88 – 1.38)", "1.50 (1.25 – 1.75) ↓"]
    assert cells["Wiener Filt."][1:3] == ["1.00 (0.75 – 1.25)", "2.75 (2.50 – 3.00) ↑"]
    assert "Made up." in lines[0]


def test_the_long_table_has_every_row_with_its_cell(files, tmp_path):
    write_detectability(*files, tmp_path / "out")
    with open(tmp_path / "out" / "detectability.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {(row["dataset"], row["noise"]) for row in rows} == {("lidc", "gaussian")}
    assert [(row["method"], row["size_mm"], row["dprime"]) for row in rows][2] == ("nlm", "24.0", "1.5")


def test_each_data_set_has_three_figures(files, tmp_path):
    write_detectability(*files, tmp_path / "out")
    for kind in ("dprime", "nps", "ttf"):
        assert Image.open(tmp_path / "out" / f"{kind}_lidc.png").format == "PNG"


def test_discs_too_small_for_a_transfer_function_leave_a_figure_that_says_so(files, tmp_path):
    path = files[1][0]
    with open(path, newline="") as stream:
        write_csv(path, [row for row in csv.DictReader(stream) if row["spectrum"] == "nps"], SPECTRUM_COLUMNS)
    write_detectability(*files, tmp_path / "out")
    assert Image.open(tmp_path / "out" / "ttf_lidc.png").format == "PNG"
    figure = spectra_figure(read_cells([path], SPECTRUM_COLUMNS)["lidc"], "ttf", Labels())
    assert not figure.axes
    assert "No disc has a radius of 3 pixels." in [text.get_text() for text in figure.texts]


def test_an_empty_file_is_named(files, tmp_path):
    write_csv(files[0][0], [], SCORE_COLUMNS)
    with pytest.raises(InputError, match=r"gaussian\.csv has no rows"):
        write_detectability(*files, tmp_path / "out")

import json

import numpy as np
import pytest
from scipy import stats

from fplbench.errors import InputError
from fplbench.verification.comparing import compare
from fplbench.verification.comparison_text import grouped
from fplbench.verification.results import Results, open_results
from tests.helpers.scores import read_rows, run, write_long_table
from tests.reporting.conftest import lesion_row, write_lesion_scores

MANIFEST = {
    "created": "today",
    "packages": {"numpy": "2.0"},
    "seed": 3,
    "config": {"training": {"fpl": {"steps": 9}}},
    "files": {},
}


@pytest.fixture
def folders(tmp_path):
    """Function that writes two runs from their scores by (dataset, noise, method), with the changes of the second manifest."""

    def write(a, b, patients=(), **changes):
        for name, cells, manifest in (("a", a, MANIFEST), ("b", b, MANIFEST | changes)):
            (tmp_path / name).mkdir()
            write_long_table(tmp_path / name / "scores.csv", cells, patients)
            (tmp_path / name / "run.json").write_text(json.dumps(manifest))
        return tmp_path / "a", tmp_path / "b"

    return write


def cells_of(folders):
    return {cell.key: cell for cell in compare(*map(open_results, folders)).cells}


def test_differences_are_those_of_the_means_with_psnr_and_the_largest_first(folders):
    a = {("lidc", "gaussian", "fpl"): [30, 32], ("lidc", "gaussian", "nlm"): [20, 20], ("lidc", "poisson", "fpl"): [25, 25]}
    b = {("lidc", "gaussian", "fpl"): [31, 32], ("lidc", "gaussian", "nlm"): [20, 17], ("lidc", "poisson", "fpl"): [25, 25]}
    found = [cell for cell in compare(*map(open_results, folders(a, b))).cells if cell.key[2] == "psnr"]
    assert [(cell.key, cell.a, cell.b, cell.difference, cell.same) for cell in found] == [
        (("lidc", "gaussian", "psnr", "nlm"), 20, 18.5, -1.5, False),
        (("lidc", "gaussian", "psnr", "fpl"), 31, 31.5, 0.5, False),
        (("lidc", "poisson", "psnr", "fpl"), 25, 25, 0, True),
    ]
    assert all(cell.low is None and cell.why == "fewer than 12 units" for cell in found)


def test_the_interval_is_paired_over_patients_and_near_students(folders):
    """Patients differ by 10 dB, the change of each by 0.2 dB: an unpaired interval would be fifty times as wide."""
    rng = np.random.default_rng(0)
    base, change = rng.normal(30, 10, 40), rng.normal(0.5, 0.2, 40)
    place = ("lidc", "gaussian", "fpl")
    cell = cells_of(folders({place: base}, {place: base + change}))["lidc", "gaussian", "psnr", "fpl"]
    expected = stats.t.interval(0.95, 39, change.mean(), stats.sem(change))
    assert (cell.low, cell.high) == pytest.approx(expected, abs=0.01)
    assert cell.units == 40 and cell.why == ""


def test_images_of_one_patient_are_drawn_together(folders):
    """Each patient has four equal images: the interval is that of the patients, twice that of independent images."""
    rng = np.random.default_rng(1)
    change = np.repeat(rng.normal(0, 1, 20), 4)
    place = ("lidc", "gaussian", "fpl")
    two = folders({place: np.full(80, 30.0)}, {place: 30 + change}, patients=[f"p{i // 4}" for i in range(80)])
    cell = cells_of(two)["lidc", "gaussian", "psnr", "fpl"]
    expected = stats.t.interval(0.95, 19, change.mean(), stats.sem(change[::4]))
    assert cell.units == 20 and (cell.low, cell.high) == pytest.approx(expected, abs=0.05)


def test_other_images_have_no_interval(folders):
    place = ("lidc", "gaussian", "fpl")
    cell = cells_of(folders({place: range(20, 40)}, {place: range(20, 45)}))["lidc", "gaussian", "psnr", "fpl"]
    assert (cell.a, cell.b, cell.low, cell.why) == (29.5, 32, None, "other images")


def test_lesions_are_compared_by_the_names_that_tables_have(folders):
    place = ("lidc", "gaussian", "fpl")
    both = folders({place: [30, 31]}, {place: [30, 31]})
    for folder, recovery in zip(both, (0.5, 0.75), strict=True):
        (folder / "lesion_scores" / "lidc").mkdir(parents=True)
        rows = [lesion_row("fpl", f"L{i}", f"i{i}", "p0", recovery, inserted=i) for i in (0, 1)]
        write_lesion_scores(folder / "lesion_scores" / "lidc" / "gaussian.csv", rows)
    found = cells_of(both)
    for metric in ("contrast_recovery", "inserted_contrast_recovery"):
        assert found["lidc", "gaussian", metric, "fpl"].difference == 0.25
    assert found["lidc", "gaussian", "psnr", "fpl"].same


def test_the_command_names_keys_versions_and_cells_of_one_run(folders, tmp_path):
    a = {("lidc", "gaussian", "fpl"): [30, 31], ("lidc", "gaussian", "nlm"): [20, 21], ("lidc", "poisson", "fpl"): [25, 26]}
    b = {("lidc", "gaussian", "fpl"): [30, 32.5], ("lits", "gaussian", "fpl"): [20, 21]}
    changes = {"packages": {"numpy": "2.1"}, "config": {"training": {"fpl": {"steps": 10}}}}
    output = run("compare", *folders(a, b, **changes), "--csv", tmp_path / "cells.csv")
    for line in (
        "  training.fpl.steps: 9 in A, 10 in B",
        '  packages.numpy: "2.0" in A, "2.1" in B',
        "  noise poisson",
        "  method nlm",
        "  data set lits",
        "PSNR (dB), 1 cell: A, B, B - A",
        "  lidc gaussian fpl  30.500  31.250  +0.750",
        "2 cells without an interval: fewer than 12 units.",  # SSIM differs too, the wrapped PSNR does not
    ):
        assert line in output.splitlines(), output
    rows = read_rows(tmp_path / "cells.csv")
    assert rows[0] == {
        **{"dataset": "lidc", "noise": "gaussian", "metric": "psnr", "method": "fpl", "a": "30.5", "b": "31.25"},
        **{"difference": "0.75", "low": "", "high": "", "units": "2", "note": "fewer than 12 units"},
    }
    # Three metrics: in A alone nlm and poisson, in B alone lits.
    assert [row["note"] for row in rows].count("in A alone") == 6 and [row["note"] for row in rows].count("in B alone") == 3


def test_identical_runs_say_so(folders):
    cells = {("lidc", "gaussian", "fpl"): [30, "inf"], ("lidc", "gaussian", "nlm"): [20, 21]}
    output = run("compare", *folders(cells, cells))
    assert output.splitlines()[-1] == "All 6 cells that both have are identical."
    assert "config" not in output and "alone" not in output


def test_cells_are_grouped_into_whole_axes_first():
    every = [(d, n, m, c) for d in ("x", "y") for n in ("g", "p") for m in ("psnr", "ssim") for c in ("fpl", "nlm")]
    assert grouped([key for key in every if key[0] == "x"], every) == ["data set x"]
    odd = [key for key in every if key[3] == "nlm" or key == ("y", "p", "ssim", "fpl")]
    assert grouped(odd, every) == ["method nlm", "y, p: fpl (ssim)"]


def test_several_names_of_an_axis_are_one_line():
    every = [("x", "g", metric, method) for metric in ("psnr", "lesion_psnr", "cnr") for method in ("fpl", "nlm")]
    assert grouped([key for key in every if key[2] != "psnr"], every) == ["metrics lesion_psnr, cnr"]


def test_differences_come_before_the_cells_of_one_run_of_which_a_few_lines_are_listed(folders):
    """Each noise of A has a method of its own that B lacks, so that no line covers two."""
    noises = ["gaussian", "poisson", "rician", "speckle", "motion"]
    a = {("lidc", noise, method): [30, 31] for noise in noises for method in ("fpl", "nlm", "wiener")}
    b = {("lidc", noise, "fpl"): [30, 32] for noise in noises}
    b |= {("lidc", noise, ("nlm", "wiener")[i % 2]): [30, 31] for i, noise in enumerate(noises)}
    lines = run("compare", *folders(a, b), "--top", 2).splitlines()
    start = lines.index("15 cells in A alone:")
    assert lines[start + 1 :] == [
        "  lidc, gaussian: wiener (psnr, psnr_uint8, ssim)",
        "  lidc, poisson: nlm (psnr, psnr_uint8, ssim)",
        "  and 3 more lines",
    ]
    assert any(line.startswith("PSNR (dB), 5 cells, 2 largest") for line in lines[:start])


def test_a_run_without_scores_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"has no scores\.csv to compare"):
        compare(Results(tmp_path, MANIFEST), Results(tmp_path, MANIFEST))

"""The paper beside a run: values, differences, errata, and what cannot be compared."""

import csv

import pytest

from fplbench import published
from fplbench.errors import InputError
from fplbench.reporting.labels import Labels
from fplbench.reporting.paper import write_comparison
from fplbench.reporting.paper_cells import compare
from fplbench.reporting.presentation import Presentation
from fplbench.reporting.repeats import read_dataset
from tests.helpers.scores import COLUMNS, read_rows, run, write_config


def write_scores(path, cells):
    """Scores of two images, whose means are the given (psnr, psnr_uint8, ssim) by (dataset, noise, method)."""
    with open(path, "w", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        for names, (true, wrapped, ssim) in cells.items():
            for i, sign in enumerate((-1, 1)):
                writer.writerow([*names, f"i{i}", f"p{i}", true + sign, wrapped + sign / 2, ssim + sign / 100])
    return path


def as_published(dataset):
    """Scores with the published values, and a true PSNR of 20 dB."""
    values = {metric: published.values(dataset, metric) for metric in ("psnr", "ssim")}
    return {
        (dataset, *key): (20, wrapped, values["ssim"][key]) for key, wrapped in values["psnr"].items() if key in values["ssim"]
    }


def written(tmp_path, cells, dataset="lidc", shown=None):
    """Rows of the .csv file, and the text of both pages."""
    scores = write_scores(tmp_path / "scores.csv", cells)
    write_comparison(tmp_path / "page.md", scores, dataset, tmp_path / "figure.png", shown)
    rows = {(row["metric"], row["noise"], row["method"]): row for row in read_rows(tmp_path / "page.csv")}
    return rows, (tmp_path / "page.md").read_text(), (tmp_path / "page.html").read_text()


def numbers_of(text, aspect):
    """The cells behind one aspect of what is reproduced, by wrapped PSNR and by SSIM, in Markdown."""
    line = next(line for line in text.splitlines() if line.startswith(f"| {aspect}"))
    return [cell.strip() for cell in line.split("|")[2:-1]]


SMALL = {
    ("lidc", "gaussian", "noisy"): (19, 28, 0.3),
    ("lidc", "gaussian", "fpl"): (41, 33, 0.9),
    ("lidc", "gaussian", "nlm"): (22, 31, 0.4),
    ("lidc", "made_up", "fpl"): (10, 11, 0.1),
}


def test_a_row_for_each_published_value_and_390_psnrs_in_all():
    rows = [row for dataset in ("lidc", "lits", "rsna") for row in compare(dataset, {}).rows]
    assert sum("psnr" in row.values for row in rows) == 390
    assert sum("ssim" in row.values for row in rows) == 400
    assert [len(compare(dataset, {}).rows) for dataset in ("lidc", "lits", "rsna")] == [130, 140, 130]


def test_differences_are_of_the_wrapped_psnr_and_the_ssim_and_the_true_psnr_stands_beside_them(tmp_path):
    rows, _, _ = written(tmp_path, SMALL)
    psnr, ssim = rows["psnr", "gaussian", "fpl"], rows["ssim", "gaussian", "fpl"]
    assert (float(psnr["published"]), float(ssim["published"])) == (35.20, 0.82)
    assert (float(psnr["ours"]), float(psnr["true_psnr"])) == (33, 41)
    assert float(psnr["difference"]) == pytest.approx(33 - 35.20)
    assert float(ssim["difference"]) == pytest.approx(0.90 - 0.82)
    assert ssim["true_psnr"] == ""


def test_published_values_without_a_counterpart_stay_and_what_the_paper_lacks_is_counted(tmp_path):
    rows, text, _ = written(tmp_path, SMALL)
    assert len(rows) == 260
    assert rows["psnr", "poisson", "dpir"]["published"] == "36.97"
    assert rows["psnr", "poisson", "dpir"]["ours"] == rows["psnr", "poisson", "dpir"]["difference"] == ""
    assert "2 of 130 PSNRs and 2 of 130 SSIMs" in text
    assert "Not in this run: 12 noises (Chem. Shift; " in text
    assert "Not in this run: 8 methods (DPIR; " in text
    assert "Not in the paper and left out: 1 noise (made_up). Not in the paper and left out: 1 method (Noisy)." in text
    assert "made_up" not in {noise for _, noise, _ in rows}


def test_a_perfect_method_is_best_everywhere_with_its_difference_to_the_ceiling(tmp_path):
    cells = as_published("lidc")
    for dataset, noise, method in list(cells):
        if method == "fpl":
            cells[dataset, noise, method] = (float("inf"), float("inf"), 0.99)
    rows, text, _ = written(tmp_path, cells)
    gain = float(rows["psnr", "gaussian", "fpl"]["difference"])
    assert gain == pytest.approx(100 - 35.20)
    # In the paper, it is behind another method on Poisson noise, salt and pepper and speckle; in SSIM on salt and pepper.
    best = numbers_of(text, "Which method is best")
    assert best == ["**the same in 10 of 13 noises, FPL in all of them**", "**the same in 12 of 13 noises, FPL in all of them**"]


def test_scores_that_equal_the_published_ones_are_reproduced_in_every_respect(tmp_path):
    rows, text, _ = written(tmp_path, as_published("lidc"))
    assert all(float(row["difference"]) == pytest.approx(0, abs=1e-9) for row in rows.values())
    assert text.splitlines()[2] == "Reproduced: which method is best, the order of the methods and the values."
    assert numbers_of(text, "Which method is best")[0] == "**the same in 13 of 13 noises, FPL in 10 of them**"
    assert numbers_of(text, "The order")[0] == "**median correlation +1.00, +1.00 to +1.00 over 13 noises**"
    assert numbers_of(text, "The values")[0] == "**130 of 130 within 0.5 dB, half within 0.00 dB**"


def test_what_only_one_score_shows_is_said_of_that_one(tmp_path):
    cells = {key: (true, 60 - wrapped, ssim) for key, (true, wrapped, ssim) in as_published("lidc").items()}
    text = written(tmp_path, cells)[1]
    assert text.splitlines()[2] == "Reproduced by SSIM alone: which method is best, the order of the methods and the values."
    assert numbers_of(text, "Which method is best")[0] == "the same in 0 of 13 noises"
    assert numbers_of(text, "The order")[0] == "median correlation −1.00, −1.00 to −1.00 over 13 noises"


def test_what_is_reproduced_stands_between_the_note_of_the_run_and_what_differs(tmp_path):
    lines = written(tmp_path, as_published("lidc"), shown=Presentation(note="Other images"))[1].splitlines()
    assert lines[2] == "Other images."
    assert lines[4].startswith("Reproduced: ") and lines[6].startswith("Images, noise levels and training differ")


def test_errata_are_flags_in_the_csv_and_letters_on_the_pages(tmp_path):
    rows, text, page = written(tmp_path, as_published("lits"), "lits")
    assert {row["flag"] for key, row in rows.items() if key[:2] == ("psnr", "gaussian")} == {"overflow"}
    assert rows["psnr", "thermal", "nlm"]["flag"] == "overflow repeated"
    assert rows["psnr", "thermal", "fpl"]["flag"] == "overflow"
    assert rows["ssim", "impulse", "fpl"]["flag"] == "bold extra_row"
    assert rows["ssim", "gaussian", "nlm"]["flag"] == ""
    assert ("psnr", "impulse", "fpl") not in rows
    assert "(a) Published PSNR (dB)" in text
    assert "- a: The published PSNR shows the signs of 8-bit overflow" in text
    letter = next(line for line in text.splitlines() if "the median filter has a higher value" in line)[2]
    assert f"({letter}) **0.89**" in text
    assert f">{letter}</sup><span>0.89</span>" in page


def test_the_lost_value_is_a_dash_with_a_note(tmp_path):
    rows, text, _ = written(tmp_path, as_published("rsna"), "rsna")
    assert (rows["ssim", "chemical_shift", "wiener"]["published"], rows["ssim", "chemical_shift", "wiener"]["flag"]) == (
        "",
        "missing",
    )
    line = next(line for line in text.splitlines() if "Wiener" in line and line.startswith("| "))
    assert ") – |" in line


def test_every_page_says_that_the_conditions_differ_and_which_options_are_tuned(tmp_path):
    shown = Presentation(labels=Labels({"nlm": "NL Mean.†"}), note="A demo.", protocol="Fair protocol.")
    _, text, page = written(tmp_path, SMALL, shown=shown)
    for words in ("equal numbers are not expected", "Fair protocol.", "A demo.", "Methods marked † have options"):
        assert words in text and words in page
    assert "Methods marked" not in written(tmp_path, SMALL)[1]


def test_a_data_set_that_the_paper_does_not_have_gives_a_page_that_says_so(tmp_path):
    rows, text, page = written(tmp_path, {("mine", "gaussian", "fpl"): (30, 31, 0.8)}, "mine")
    assert rows == {}
    assert (tmp_path / "page.csv").read_text().startswith("dataset,metric,noise,method,published,ours,difference")
    assert "The paper has no table of mine, so there is nothing to compare." in text and "no table of mine" in page
    assert (tmp_path / "figure.png").stat().st_size


def test_a_run_without_any_noise_or_method_of_the_paper_says_so(tmp_path):
    rows, text, _ = written(tmp_path, {("lidc", "made_up", "fpl"): (30, 31, 0.8), ("lidc", "gaussian", "own"): (30, 31, 0.8)})
    assert "no noise and method of it was run here" in text
    assert len(rows) == 260 and all(row["ours"] == "" for row in rows.values())


def test_labels_are_escaped(tmp_path):
    shown = Presentation(labels=Labels({"nlm": "<script>alert(1)</script>"}), note="<b>Bold</b>")
    _, text, page = written(tmp_path, SMALL, shown=shown)
    assert "<script>" not in page and "<b>" not in page
    assert text.count("<") == text.count(r"\<") > 0
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_scores_of_another_data_set_are_refused(tmp_path):
    with pytest.raises(InputError, match="no scores of the data set 'lits'"):
        written(tmp_path, SMALL, "lits")


@pytest.mark.parametrize(("cut", "words"), [(-9, "number of values differs"), (-60, "scored on different images")])
def test_a_truncated_table_is_refused(tmp_path, cut, words):
    cells = {key: value for key, value in SMALL.items() if key[1] == "gaussian"}
    text = write_scores(tmp_path / "all.csv", cells).read_text()
    end = text[:cut].rfind(",") if cut == -9 else text[:-1].rfind("\n") + 1
    (tmp_path / "cut.csv").write_text(text[:end])
    with pytest.raises(InputError, match=words):
        write_comparison(tmp_path / "page.md", tmp_path / "cut.csv", "lidc", tmp_path / "figure.png")
    assert not (tmp_path / "page.md").exists()


@pytest.mark.parametrize(
    ("page", "figure", "words"), [("page.txt", "a.png", "end in .md"), ("page.md", "a.mp3", "not a picture")]
)
def test_names_with_other_endings_are_refused_before_anything_is_written(tmp_path, page, figure, words):
    scores = write_scores(tmp_path / "scores.csv", SMALL)
    with pytest.raises(InputError, match=words):
        write_comparison(tmp_path / page, scores, "lidc", tmp_path / figure)
    assert [path.name for path in tmp_path.iterdir()] == ["scores.csv"]


def test_the_command_writes_three_files_and_the_figure_with_the_labels_of_the_config(tmp_path):
    scores = write_scores(tmp_path / "scores.csv", SMALL)
    config = write_config(tmp_path / "config.json", note="One patient.", methods={"fpl": {}, "nlm": {"label": "Own label"}})
    output, figure = tmp_path / "paper" / "lidc.md", tmp_path / "figures" / "lidc_paper.png"
    run("paper-comparison", output, scores, "lidc", "--figure", figure, "--config", config)
    assert {path.name for path in output.parent.iterdir()} == {"lidc.md", "lidc.csv", "lidc.html"}
    assert figure.read_bytes().startswith(b"\x89PNG")
    assert "Own label" in output.read_text() and "One patient." in output.read_text()


def test_the_mean_is_over_the_images(tmp_path):
    scores = read_dataset(write_scores(tmp_path / "scores.csv", SMALL), "lidc")
    row = next(row for row in compare("lidc", scores).of("gaussian") if row.method == "nlm")
    assert (row.true, row.values["psnr"].ours) == (22, 31)
    assert row.values["ssim"].ours == pytest.approx(0.4)


def test_with_tuned_and_untuned_columns_the_untuned_ones_are_compared(tmp_path):
    cells = {**SMALL, ("lidc", "gaussian", "nlm_tuned"): (25, 32, 0.5)}
    rows, text, _ = written(tmp_path, cells)
    assert float(rows["psnr", "gaussian", "nlm"]["ours"]) == 31
    assert "left out: 2 methods (Noisy; nlm_tuned)" in text


def test_several_trainings_are_one_column_with_their_mean(tmp_path):
    cells = {**SMALL, ("lidc", "gaussian", "fpl-2"): (39, 35, 0.7)}
    rows, _, _ = written(tmp_path, cells)
    assert float(rows["psnr", "gaussian", "fpl"]["ours"]) == 34
    assert float(rows["ssim", "gaussian", "fpl"]["ours"]) == pytest.approx(0.8)


def test_a_difference_that_rounds_to_zero_has_a_plus(tmp_path):
    cells = {("lidc", "gaussian", "fpl"): (41, 35.199, 0.8199)}
    line = next(line for line in written(tmp_path, cells)[1].splitlines() if "41.00" in line)
    assert line.count("+0.00") == 2

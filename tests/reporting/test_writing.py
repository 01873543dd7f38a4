import csv
import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest

from fplbench import published
from fplbench.reporting.labels import Labels
from fplbench.reporting.latex import escape, latex
from fplbench.reporting.lesion_scores import LesionScores
from fplbench.reporting.markdown import markdown
from fplbench.reporting.repeats import read_dataset
from fplbench.reporting.scores import NoiseScores
from fplbench.reporting.tables import build_table
from fplbench.reporting.writing import write_table

METHODS = (
    "noisy", "fpl", "dpir", "bilateral", "filter_combination", "gaussian_filter", "mean_filter", "median_filter", "nlm",
    "wavelet", "wiener",
)  # fmt: skip
NOISES = (
    "chemical_shift", "gaussian", "magnetic_field", "motion", "noncentral_chi", "poisson", "rician", "salt_pepper",
    "speckle", "structured", "susceptibility", "thermal", "wrap_around",
)  # fmt: skip
VOID = {"meta", "img"}


@pytest.fixture
def scores(write_scores):
    """PSNR 20.004 + column number, so that the last column is best; on Gaussian noise the first two tie."""
    cells = {("lidc", noise, method): [20.004 + i] * 12 for noise in NOISES for i, method in enumerate(METHODS)}
    cells["lidc", "gaussian", "noisy"] = cells["lidc", "gaussian", "fpl"] = [40.125, 42, 43] * 4
    return read_dataset(write_scores(cells), "lidc")


@pytest.fixture
def table(scores):
    return build_table("lidc", scores, 0, note="100 % made up & small_scale.")


class Nesting(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.widths = [], []

    def handle_starttag(self, tag, attributes):
        if tag == "tr":
            self.widths.append(0)
        if tag in ("td", "th"):
            self.widths[-1] += 1
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_latex_has_two_blocks_of_full_rows(table):
    text = latex(table)
    body = text.split(r"\midrule")
    assert len(body) == 3
    for block, label in zip(body[1:], ("PSNR", "SSIM"), strict=True):
        rows = block.split(r"\bottomrule")[0].strip().splitlines()
        assert [row.count(" & ") for row in rows] == [12] * 13
        assert sum(row.startswith(label) for row in rows) == 1
        assert r"Salt \& Pepper" in rows[7]
    assert r"100 \% made up \& small\_scale." in text


def test_captions_never_have_two_full_stops(scores, tmp_path):
    for note in ("", "Noise: Gauss.", "No full stop"):
        write_table(build_table("lidc", scores, 0, note=note), tmp_path)
        for file in tmp_path.iterdir():
            assert ".." not in file.read_text(encoding="utf-8"), file
    assert "No full stop. Intervals: 95 %" in (tmp_path / "lidc_intervals.tex").read_text(encoding="utf-8").replace(r"\%", "%")


def test_best_is_bold_ties_all_bold(table):
    rows = {row.split(" & ")[1].strip(): row for row in latex(table).splitlines() if row.count(" & ") > 11}
    assert re.findall(r"\\textbf{([^}]*)}", rows["Rician"]) == ["0.30"]
    first = next(row for row in latex(table).splitlines() if "Gauss." in row)
    assert re.findall(r"\\textbf{([^}]*)}", first) == ["41.71", "41.71"]


def test_escape_covers_what_latex_reserves():
    assert escape("a_b & 5 % #1 {x} ~ ^ \\ $") == (
        r"a\_b \& 5 \% \#1 \{x\} \textasciitilde{} \textasciicircum{} \textbackslash{} \$"
    )


def assert_compiles(text, folder, pages=1):
    """Compile a table in a three-line document; it must fit the page, or so many."""
    (folder / "lidc.tex").write_text(text, encoding="utf-8")
    (folder / "document.tex").write_text(
        "\\documentclass{article}\\usepackage{booktabs}\n\\begin{document}\\input{lidc}\n\\end{document}\n"
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "document.tex"]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout
    assert "Overfull" not in run.stdout
    assert "Float too large" not in run.stdout
    assert f"Output written on document.pdf ({pages} page{'s' if pages > 1 else ''}," in run.stdout


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs a TeX installation")
@pytest.mark.parametrize("intervals", [False, True])
@pytest.mark.parametrize("mark", ["", "†"])
def test_latex_compiles_in_a_three_line_document_and_fits_the_page(scores, tmp_path, intervals, mark):
    labels = Labels({name: f"{Labels().method(name)}{mark}" for name in METHODS[3:]})
    table = build_table("lidc", scores, 0, labels=labels)
    assert_compiles(latex(table, intervals), tmp_path, pages=2 if intervals else 1)


@pytest.fixture
def wide():
    """Function: a table of 13 noises with many columns, all tuned, with long labels, where many cells are tied."""

    def build(columns):
        rng = np.random.default_rng(0)
        names = [*METHODS, *(f"own{i}" for i in range(columns - len(METHODS)))]
        labels = Labels({name: f"{Labels().method(name)}†" for name in names[3:]})
        patients = tuple(f"p{i}" for i in range(20))
        scores = {
            noise: NoiseScores(patients, patients, {"psnr": psnr, "ssim": {name: each / 40 for name, each in psnr.items()}})
            for noise in NOISES
            for psnr in [{name: rng.normal(28, 0.5, 20) for name in names}]
        }
        return build_table("lidc", scores, 0, labels=labels)

    return build


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs a TeX installation")
@pytest.mark.slow
@pytest.mark.parametrize(("columns", "pages"), [(11, (1, 2)), (12, (1, 2)), (13, (2, 4)), (16, (2, 4)), (24, (2, 4))])
def test_wide_tables_with_ties_compile_at_one_size_on_few_pages(wide, tmp_path, columns, pages):
    table = wide(columns)
    for intervals, number in zip((False, True), pages, strict=True):
        text = latex(table, intervals)
        assert r"\rlap{$^{\circ}$}" in text and r"\underline{" in text and text.count(r"\tiny") == text.count(r"\tiny ")
        assert_compiles(text, tmp_path, number)
        assert (r"\tiny" in text) == intervals


def body(text):
    """Rows of numbers of a LaTeX table, as lists of cells."""
    return [line.removesuffix(r" \\").split(" & ") for line in text.splitlines() if line.count(" & ") > 4][1:]


@pytest.mark.slow
def test_each_column_of_a_wide_table_stands_in_one_part_with_all_rows(wide):
    text = latex(wide(16), metrics=["psnr"])
    assert text.count(r"\begin{tabular*}") == 2 and text.count(r"\toprule") == 2
    heads = [line for line in text.splitlines() if "Noise Type" in line]
    assert [head.count(r"\shortstack") for head in heads] == [8, 8]
    assert len(set(re.findall(r"own\d", " ".join(heads)))) == 5
    assert len([line for line in text.splitlines() if "Rician" in line]) == 2
    assert "The columns are in parts, one below the other; the marks are those of whole rows." in text
    assert "parts" not in latex(wide(12))
    numbers = [re.findall(r"\d+\.\d\d", line) for line in text.splitlines() if "Rician" in line]
    means = [f"{cell.mean:.2f}" for cell in wide(16).blocks["psnr"]["rician"].values()]
    assert sorted([*numbers[0], *numbers[1]]) == sorted(means)


def test_marks_of_latex_are_those_of_the_cells(wide):
    table = wide(11)
    rows = body(latex(table, metrics=["psnr"]))
    for row, cells in zip(rows, table.blocks["psnr"].values(), strict=True):
        for text, name in zip(row[2:], table.methods, strict=True):
            cell = cells[name]
            assert (r"\textbf" in text, r"\underline" in text, r"\circ" in text) == (cell.best, cell.second, cell.tied)
    assert any(cell.tied for cells in table.blocks["psnr"].values() for cell in cells.values())


def test_markdown_columns_are_aligned_and_hold_the_means(table):
    lines = [line for line in markdown(table).splitlines() if line.startswith("|")]
    assert len({len(line) for line in lines}) == 1
    assert len({tuple(i for i, c in enumerate(line) if c == "|") for line in lines}) == 1
    assert len(lines) == 2 + 2 * 13
    assert [cell.strip() for cell in lines[2].split("|")[3:6]] == ["20.00", "21.00", "22.00"]
    assert "**30.00**" in lines[2]


def test_csv_is_unrounded_and_holds_what_the_paper_printed(table, tmp_path):
    write_table(table, tmp_path)
    with open(tmp_path / "lidc.csv", newline="") as stream:
        rows = {(row["metric"], row["noise"], row["method"]): row for row in csv.DictReader(stream)}
    assert len(rows) == 3 * 13 * 11
    assert float(rows["psnr", "rician", "noisy"]["mean"]) == pytest.approx(20.004, abs=1e-14)
    assert float(rows["psnr", "rician", "noisy"]["lead"]) == pytest.approx(1, abs=1e-12)
    assert rows["psnr", "rician", "fpl"]["lead"] == ""
    assert rows["psnr", "rician", "wiener"]["published"] == ""
    printed = published.values("lidc", "psnr")["rician", "wiener"]
    assert float(rows["psnr_uint8", "rician", "wiener"]["published"]) == printed == 30.61
    assert float(rows["ssim", "rician", "wiener"]["published"]) == 0.37


def test_html_is_well_formed_with_rows_of_one_width(table, tmp_path):
    write_table(table, tmp_path)
    text = (tmp_path / "lidc.html").read_text(encoding="utf-8")
    nesting = Nesting()
    nesting.feed(text)
    assert nesting.open == []
    # The cell that names a block spans its rows, so that all but the first have one less: 11 methods, and verdicts.
    assert set(nesting.widths) == {13, 12, 6, 5}
    assert "Salt &amp; Pepper" in text
    assert "100 % made up &amp; small_scale." in text
    assert not re.search(r'(src|href)="http', text)


def test_own_data_sets_are_not_compared_with_the_paper(write_scores, tmp_path):
    path = write_scores({("mine", "gaussian", "fpl"): [30, 31], ("mine", "gaussian", "nlm"): [29, 30]})
    write_table(build_table("mine", read_dataset(path, "mine"), 0), tmp_path)
    assert "8-bit overflow" not in (tmp_path / "mine.html").read_text(encoding="utf-8")


def test_a_table_without_the_reference_method_has_no_leads(write_scores, tmp_path):
    path = write_scores({("mine", "gaussian", "nlm"): [30, 31], ("mine", "gaussian", "wiener"): [29, 30]})
    write_table(build_table("mine", read_dataset(path, "mine"), 0), tmp_path)
    assert "Best other" not in (tmp_path / "mine.html").read_text(encoding="utf-8")
    assert (tmp_path / "mine.csv").read_text().splitlines()[1].endswith(",patients,2,1,0,0,,,,,,1,,,")


@pytest.fixture
def lesion_table(scores):
    """A table with real and inserted lesions; the contrast of the real ones recovers to 0.8 and 1.2."""

    def found(unit, count):
        names = tuple(f"x{i}" for i in range(count))
        values = {"lesion_psnr": 25.0, "contrast_recovery": 0.8, "recovery_error": 0.2}
        blocks = {
            metric: NoiseScores(names, names, {metric: {name: np.full(count, value) for name in METHODS[:3]}})
            for metric, value in values.items()
        }
        return {"gaussian": LesionScores(unit, count, 4, 1, 0, blocks=blocks)}

    return build_table("lidc", scores, 0, lesions=found("lesion", 1), inserted=found("lesion", 20), partial=True)


def test_lesions_stand_in_markdown_html_and_csv_and_in_latex_by_option(lesion_table, tmp_path):
    write_table(lesion_table, tmp_path / "plain")
    write_table(lesion_table, tmp_path / "more", ["psnr", "contrast_recovery", "recovery_error"])
    text = {file.name: file.read_text(encoding="utf-8") for file in (tmp_path / "plain").iterdir()}
    for name in ("lidc.md", "lidc.html", "lidc.csv"):
        assert "recovery" in text[name]
    assert "recovery" not in text["lidc.tex"]
    assert "Contrast recovery" in (tmp_path / "more" / "lidc.tex").read_text(encoding="utf-8")
    block = text["lidc.md"].split("| Contrast recovery ")[1]
    row = next(line for line in block.splitlines() if " Gauss. " in line)
    assert [cell.strip() for cell in row.split("|")[3:7]] == ["0.80", "0.80", "0.80", "–"]
    with open(tmp_path / "plain" / "lidc.csv", newline="") as stream:
        cells = {(row["metric"], row["method"]): row for row in csv.DictReader(stream) if row["noise"] == "gaussian"}
    real, inserted = cells["contrast_recovery", "fpl"], cells["inserted_contrast_recovery", "fpl"]
    assert (real["unit"], real["units"], real["low"], real["best"]) == ("lesions", "1", "", "0")
    assert (inserted["unit"], inserted["units"], float(inserted["low"])) == ("lesions", "20", pytest.approx(0.8))


def test_a_bar_in_a_label_does_not_end_a_cell_of_markdown(lesion_table):
    row = next(line for line in markdown(lesion_table).splitlines() if "1 − recovery" in line and line.startswith("|"))
    assert len(re.split(r"(?<!\\)\|", row)) == 2 + 2 + len(METHODS)


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs a TeX installation")
@pytest.mark.slow
@pytest.mark.parametrize(("intervals", "pages"), [(False, 2), (True, 3)])
def test_latex_with_lesions_compiles_and_fits_the_page(lesion_table, tmp_path, intervals, pages):
    shown = ("psnr", "ssim", "lesion_psnr", "contrast_recovery", "recovery_error", "inserted_contrast_recovery")
    assert_compiles(latex(lesion_table, intervals, shown), tmp_path, pages)

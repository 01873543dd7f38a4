"""A perfect method as a control beside the unprocessed image: it is the best of every row of every table."""

import math
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from fplbench.files import write_csv
from fplbench.reporting.facts import Facts
from fplbench.reporting.labels import sign
from fplbench.reporting.lesion_scores import read_lesion_scores
from fplbench.reporting.repeats import read_dataset
from fplbench.reporting.tables import build_table
from fplbench.reporting.verdicts import rivals, verdicts
from fplbench.reporting.wins import count_wins
from fplbench.scoring.registry import SCORES, image_metrics
from tests.helpers.scores import read_rows, run, write_config
from tests.reporting.conftest import lesion_row, write_lesion_scores

NOISES = ("gaussian", "poisson")
METHODS = ("noisy", "fpl", "residual_same_steps", "nlm", "perfect")
PATIENTS = 12
METRICS = (*image_metrics(), "feature_error")
LESIONS = ("lesion_psnr", "lesion_ssim", "lesion_rmse", "recovery_error")
SHOWN = [*METRICS, *LESIONS, *(f"inserted_{name}" for name in LESIONS)]


def perfect(name):
    """What a metric is where the denoised image is the clean one; of two ends, 0 is the better one if lower is better."""
    if SCORES[name].direction == "lower":
        return 0
    return math.inf if SCORES[name].unit == "dB" else 1


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Scores of images and lesions, and those of validation images, where no method has a perfect score but one."""
    folder = tmp_path_factory.mktemp("control")
    rng = np.random.default_rng(0)

    def score(name, method):
        if method == "perfect":
            return perfect(name)
        return rng.uniform(18, 30) if SCORES[name].unit == "dB" else rng.uniform(0.1, 0.9)

    def images(method, prefix="i"):
        for i in range(PATIENTS):
            yield {"method": method, "image_id": f"{prefix}{i}", "patient": f"{prefix}{i}"} | {
                name: score(name, method) for name in METRICS
            }

    rows = [{"dataset": "lidc", "noise": noise, **row} for noise in NOISES for name in METHODS for row in images(name)]
    write_csv(folder / "scores.csv", rows)
    for noise in NOISES:
        write_csv(
            folder / "validation" / "scores" / "lidc" / f"{noise}.csv", [row for name in METHODS for row in images(name, "v")]
        )
        lesions = [lesion(score, name, i, planted) for name in METHODS for planted in (0, 1) for i in range(PATIENTS)]
        write_lesion_scores(folder / "lesions" / "lidc" / f"{noise}.csv", lesions)
    return folder


def lesion(score, method, number, inserted):
    recovery = 1.0 if method == "perfect" else score("ssim", method)
    row = lesion_row(method, f"x{number}", f"i{number}" + "-copy" * inserted, f"i{number}", recovery, inserted)
    return row | {name: score(f"lesion_{name}", method) for name in ("psnr", "ssim", "rmse")}


@pytest.fixture(scope="module")
def written(folder):
    """The folder, with its tables; the reference is the perfect method."""
    metrics = [f"--metric={name}" for name in [*SHOWN, "contrast_recovery", "inserted_contrast_recovery"]]
    metrics += [f"--latex-metric={name}" for name in SHOWN]
    options = ("--lesion-scores", folder / "lesions" / "lidc", "--validation", folder / "validation")
    run("table", folder / "scores.csv", "lidc", "--out-dir", folder, "--reference", "perfect", *options, *metrics)
    return folder


def table(folder, reference="perfect"):
    scores = read_dataset(folder / "scores.csv", "lidc")
    found = [read_lesion_scores(folder / "lesions" / "lidc", scores, planted) for planted in (False, True)]
    return build_table("lidc", scores, 0, reference=reference, shown=SHOWN, facts=Facts(), lesions=found[0], inserted=found[1])


def test_the_perfect_method_is_first_in_every_row_of_the_csv(written):
    rows = [row for row in read_rows(written / "lidc.csv") if sign(row["metric"])]
    assert {row["metric"] for row in rows} >= set(SHOWN)
    for metric in SHOWN:
        for noise in NOISES:
            cells = {row["method"]: row for row in rows if (row["metric"], row["noise"]) == (metric, noise)}
            means = {name: sign(metric) * float(row["mean"]) for name, row in cells.items()}
            assert max(means, key=means.__getitem__) == "perfect" and sorted(means.values())[-2] < means["perfect"]
            assert [name for name, row in cells.items() if row["best"] == "1"] == ["perfect"]
            assert not any(row["tied"] == "1" for row in cells.values())
            assert sum(row["second"] == "1" for row in cells.values()) == 1 and cells["perfect"]["second"] == "0"
            assert all(float(row["lead"]) > 0 for name, row in cells.items() if name != "perfect")


def test_no_method_is_the_best_of_the_contrast_recovery_and_the_perfect_one_recovers_all(written):
    rows = [row for row in read_rows(written / "lidc.csv") if row["metric"].endswith("contrast_recovery")]
    assert len(rows) == 2 * len(NOISES) * len(METHODS)
    assert not any(row["best"] == "1" or row["second"] == "1" or row["lead"] for row in rows)
    assert {float(row["mean"]) for row in rows if row["method"] == "perfect"} == {1}


def test_verdicts_on_the_perfect_method_are_better_in_every_row(folder):
    found = table(folder)
    for metric in SHOWN:
        assert [verdict.outcome for verdict in verdicts(found, metric)] == ["better"] * len(NOISES)
        wins = count_wins(found, metric)
        assert (wins.rows, wins.ahead, wins.best, wins.better, wins.below_noisy) == (2, 2, 2, 2, 0)


def test_every_other_method_is_worse_than_the_perfect_one(folder):
    for reference in ("fpl", "noisy"):
        found = table(folder, reference)
        for metric in SHOWN:
            assert [rival.method for rival in rivals(found, metric)] == ["perfect"] * len(NOISES)
            assert [verdict.outcome for verdict in verdicts(found, metric)] == ["worse"] * len(NOISES)


def columns_of(rows, mark):
    """The columns in which each row has a mark, without the rows that have none."""
    return {tuple(i for i, cell in enumerate(row) if mark in cell) for row in rows}


def test_markdown_has_bold_numbers_in_the_column_of_the_perfect_method_alone(written):
    lines = [
        line.split("|")[1:-1] for line in (written / "lidc.md").read_text().replace(r"\|", "").splitlines() if line[:1] == "|"
    ]
    place = [cell.strip() for cell in lines[0]].index("perfect")
    plain = [row for row in lines[2:] if "**" not in "".join(row)]
    assert columns_of(lines[2:], "**") == {(place,), ()}
    assert len(plain) == 2 * len(NOISES)  # contrast recovery


@pytest.mark.parametrize("name", ["lidc.tex", "lidc_intervals.tex"])
def test_latex_has_bold_numbers_in_the_column_of_the_perfect_method_alone(written, name):
    rows = [line.split(" & ") for line in (written / name).read_text().splitlines() if " & " in line]
    place = next(i for i, cell in enumerate(rows[0]) if "perfect" in cell)
    bold = [row for row in rows if r"\textbf" in "".join(row)]
    assert len(bold) == len(SHOWN) * len(NOISES) and columns_of(bold, r"\textbf") == {(place,)}
    assert all(len(places) == 1 and place not in places for places in columns_of(bold, r"\underline"))


class Cells(HTMLParser):
    """The classes of the cells of each row, in a page."""

    def __init__(self):
        super().__init__()
        self.rows, self.heads = [], []

    def handle_starttag(self, tag, attributes):
        if tag == "tr":
            self.rows.append([])
        if tag == "td":
            self.rows[-1].append(dict(attributes).get("class") or "")


def test_pages_mark_the_column_of_the_perfect_method_alone(written):
    page = (written / "lidc.html").read_text()
    cells = Cells()
    cells.feed(page)
    best = [row for row in cells.rows if "best" in row]
    assert len(best) == len(SHOWN) * len(NOISES)
    place = sorted(METHODS, key=["noisy", "fpl", "nlm", "perfect", "residual_same_steps"].index).index("perfect")
    assert columns_of(best, "best") == {(place,)}
    outcomes = re.findall(r'class="text (better|worse|undecided)"', page)
    assert outcomes == ["better"] * len(SHOWN) * len(NOISES)


def test_the_perfect_method_is_the_best_of_the_fair_table(folder):
    options = ("--lesion-scores", folder / "lesions" / "lidc", "--validation", folder / "validation")
    run("fair-table", folder / "scores.csv", "lidc", "--out-dir", folder, "--reference", "perfect", *options)
    rows = [row for row in read_rows(folder / "lidc_steps.csv") if row["metric"] in SHOWN]
    assert {row["method"] for row in rows} == {*METHODS, "best_filter"} - {"nlm"}
    assert {row["method"] for row in rows if row["best"] == "1"} == {"perfect"}
    assert len([row for row in rows if row["best"] == "1"]) == len(SHOWN) * len(NOISES)


def test_the_fair_summary_tells_that_the_perfect_method_beats_all(folder):
    config = write_config(
        folder / "config.json", datasets=["lidc"], noises=list(NOISES), protocol="fair", tables={"partial": True}
    )
    options = ("--lesion-scores", folder / "lesions", "--validation", folder / "validation")
    run("fair-summary", folder / "fair.md", folder / "scores.csv", "--reference", "perfect", *options)
    text = (folder / "fair.md").read_text()
    assert "perfect has the higher PSNR on 2 of 2 noises against" in text
    assert text.count("It beats") == 5 * len(NOISES)  # PSNR, SSIM, two of lesions, and the feature error
    assert "loses" not in text and "equal" not in text
    run("fair-summary", folder / "fpl.md", folder / "scores.csv", "--config", config, *options)
    told = [line for line in (folder / "fpl.md").read_text().splitlines() if line.startswith("- ")]
    assert len(told) == 5 * len(NOISES) and all("It loses to" in line and "perfect" in line for line in told)

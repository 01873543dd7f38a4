"""Any method can be the one that is compared, and texts name that one."""

import re

import numpy as np
import pytest

from fplbench.config import load_config
from fplbench.errors import InputError
from fplbench.reporting.captions import presentation
from fplbench.reporting.choices import choice_note
from fplbench.reporting.repeats import read_dataset
from fplbench.reporting.tables import build_table
from fplbench.reporting.verdicts import verdicts
from fplbench.reporting.wins import count_wins, wins_sentence
from tests.helpers.scores import fair_cells, read_rows, run, write_config, write_long_table

COLUMNS = {"noisy": 20, "fpl": 30, "nlm": 25, "wiener": 24}
CONFIG = {"datasets": ["lidc"], "noises": ["gaussian"], "methods": list(COLUMNS)}
FAIR = ("gaussian", "structured")


@pytest.fixture
def scores(tmp_path):
    rng = np.random.default_rng(0)
    cells = {("lidc", "gaussian", name): mean + rng.normal(0, 0.5, 14) for name, mean in COLUMNS.items()}
    return write_long_table(tmp_path / "scores.csv", cells)


def leads(folder, scores, *options, **values):
    """The columns that have a lead of the reference over them, and the table's page."""
    config = write_config(folder / "config.json", **CONFIG, **values)
    run("table", scores, "lidc", "--out-dir", folder, "--config", config, *options)
    rows = [row for row in read_rows(folder / "lidc.csv") if row["metric"] == "psnr"]
    return [row["method"] for row in rows if row["lead"]], (folder / "lidc.html").read_text()


def test_the_reference_of_the_config_is_compared_and_the_command_line_overrides_it(tmp_path, scores):
    others = [["noisy", "nlm", "wiener"], ["noisy", "fpl", "wiener"], ["noisy", "fpl", "nlm"]]
    assert leads(tmp_path, scores)[0] == others[0]
    assert leads(tmp_path, scores, reference="nlm")[0] == others[1]
    assert leads(tmp_path, scores, "--reference", "wiener", reference="nlm")[0] == others[2]


def test_texts_name_the_reference_and_not_fpl(tmp_path, scores):
    page = leads(tmp_path, scores, reference="nlm")[1]
    assert "NL Mean. compared with its rival in each row" in page
    assert "by how much NL Mean. is better on the test images" in page
    table = build_table("lidc", read_dataset(scores, "lidc"), 0, reference="nlm")
    assert wins_sentence([table]) == "PSNR: NL Mean. is ahead of its rival in 0 of 1 rows."
    assert "FPL" not in choice_note([table], ["psnr"])
    [verdict] = verdicts(table, "psnr")
    assert (verdict.rival, verdict.outcome) == ("fpl", "worse")


def test_the_unprocessed_image_as_the_reference_is_not_counted_below_itself(scores):
    table = build_table("lidc", read_dataset(scores, "lidc"), 0, reference="noisy")
    wins = count_wins(table, "psnr")
    assert (wins.rows, wins.ahead, wins.worse, wins.below_noisy) == (1, 0, 1, None)


def test_a_reference_without_scores_is_named(tmp_path, scores):
    with pytest.raises(InputError, match=r"The reference method 'nml' has no scores on lidc: did you mean 'nlm'"):
        run("table", scores, "lidc", "--out-dir", tmp_path, "--reference", "nml")


def test_the_column_is_called_fpl_but_in_tables_of_the_papers_form(tmp_path, scores):
    leads(tmp_path, scores)
    texts = {file.suffix: file.read_text() for file in tmp_path.iterdir()}
    assert r"\shortstack[r]{\vphantom{(}Our \\ \vphantom{(}(FPL)}" in texts[".tex"]
    for kind in (".md", ".html"):
        assert "FPL" in texts[kind] and "Our" not in texts[kind]
    own = write_config(
        tmp_path / "config.json", **(CONFIG | {"methods": {"noisy": {}, "fpl": {"label": "Mine"}, "nlm": {}, "wiener": {}}})
    )
    run("table", scores, "lidc", "--out-dir", tmp_path, "--config", own)
    assert r"\shortstack[r]{\vphantom{(}Mine}" in (tmp_path / "lidc.tex").read_text()


def fair(folder, reference, *options, methods=("noisy", "fpl", "dpir", "bilateral", "nlm")):
    """The summary of a fair comparison whose config has a reference."""
    write_long_table(folder / "fair_scores.csv", fair_cells(FAIR, 1), patients="a")
    peers = {"red_cnn": {}, "noise2void": {}, "residual_same_steps": {}}
    config = write_config(
        folder / "fair.json", datasets=["lidc"], noises=list(FAIR), protocol="fair", methods=list(methods), reference=reference,
        fair={"methods": peers},
    )  # fmt: skip
    run("fair-summary", folder / "fair.md", folder / "fair_scores.csv", "--config", config, *options)
    return (folder / "fair.md").read_text()


def test_the_fair_summary_is_about_the_reference(tmp_path):
    text = fair(tmp_path, "dpir")
    assert "DPIR has the higher PSNR on 0 of 2 noises against" in text
    assert "- PSNR: DPIR has 28.00 dB. It loses to RED-CNN (29.00), FPL (29.50)" in text
    assert "Leads of DPIR, positive where it is better." in text
    text = fair(tmp_path, "noisy")
    assert re.search(r"^The unprocessed image has the higher PSNR on 0 of 2 noises", text, re.MULTILINE)
    assert "Leads of the unprocessed image, positive where it is better." in text
    assert "DPIR has the higher PSNR" in fair(tmp_path, "noisy", "--reference", "dpir")


def test_fpl_stays_the_reference_of_fair_tables_where_a_filter_is_that_of_the_run(tmp_path):
    assert "FPL has the higher PSNR on" in fair(tmp_path, "nlm")


def test_the_presentation_has_the_reference_of_the_config():
    assert presentation(load_config(CONFIG | {"reference": "nlm"})).reference == "nlm"

"""The front page of the report: what ran, on what data, what won, lost and was not run."""

import re
from html import unescape

import pytest

from fplbench.config import load_config
from fplbench.reporting.facts import Facts
from fplbench.reporting.front import front
from fplbench.reporting.not_run import not_run
from fplbench.reporting.scores import read_scores
from fplbench.reporting.summary import summary
from fplbench.reporting.tables import build_table

RUN = {"fplbench": "0.1.0", "created": "2026-11-28T15:16:49+00:00"}
METRICS = ("psnr", "ssim")


def front_lines(tables, config=None):
    """The texts of the front page by their titles."""
    terms = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", front(tables, RUN, config))
    return {title: unescape(re.sub(r"<[^>]+>", " ", text)).strip() for title, text in terms}


@pytest.fixture
def build(write_scores):
    """Function: the tables of psnr values by (dataset, noise, method), two images of two patients each."""

    def tables(cells, **options):
        found = read_scores(write_scores({name: [value, value + 1] for name, value in cells.items()}))
        return [build_table(name, scores, 0, **{"shown": METRICS, **options}) for name, scores in found.items()]

    return tables


def test_five_lines_tell_of_methods_noises_images_and_rows(build):
    cells = {("lidc", noise, "noisy"): 30 for noise in ("poisson", "rician", "speckle")}
    cells |= {("lidc", "poisson", "fpl"): 32, ("lidc", "rician", "fpl"): 31, ("lidc", "speckle", "fpl"): 29}
    lines = front_lines(build(cells))
    assert list(lines) == ["What ran", "On what data", "What won", "What lost", "What was not run"]
    assert "1 method on 3 noises" in lines["What ran"]
    assert "LIDC: 2 test images of 2 patients." in lines["On what data"]
    assert "PSNR: FPL is ahead of its rival in 2 of 3 rows." in lines["What won"].replace("Our (FPL)", "FPL")
    assert "is not ahead in 1 row: LIDC Speckle Noise. The unprocessed image is better in 1 row." in lines["What lost"]


def test_a_perfect_method_wins_everywhere_beside_the_unprocessed_image(build):
    noises = ("gaussian", "poisson", "thermal")  # Gaussian and thermal noise are one row
    cells = {("lidc", noise, name): value for noise in noises for name, value in (("perfect", 99), ("noisy", 30), ("fpl", 40))}
    tables = build(cells, reference="perfect")
    lines = front_lines(tables)
    assert "PSNR: perfect is ahead of its rival in 2 of 2 rows." in lines["What won"]
    assert "in 2 rows: perfect (2)." in lines["What won"]
    assert "PSNR: perfect is not ahead in 0 rows. The unprocessed image is better in 0 rows." in lines["What lost"]
    row = next(line for line in summary(tables).split("<tr>") if ">PSNR<" in line)
    assert re.findall(r"<td>(\d+)", row) == ["2", "2", "2", "0"]  # rows, ahead, best, below noisy


def test_the_method_that_is_compared_is_the_reference_whichever_it_is(build):
    cells = {("lidc", "poisson", name): value for name, value in (("dpir", 33), ("noisy", 30), ("median_filter", 31))}
    lines = front_lines(build(cells, reference="dpir"))
    assert "DPIR is ahead" in lines["What won"] and "DPIR is not ahead" in lines["What lost"]
    assert "FPL" not in lines["What won"] + lines["What lost"]


def test_without_scores_of_the_reference_nothing_is_compared(build):
    lines = front_lines(build({("lidc", "poisson", "noisy"): 30, ("lidc", "poisson", "wiener"): 31}))
    assert "is compared with nothing, as it has no scores" in lines["What won"]
    assert lines["What lost"] == "Nothing is compared."


def test_the_note_of_a_data_set_stands_with_its_images(build):
    config = load_config({"notes": {"lits": "These are not LiTS images."}})
    tables = build({("lits", "poisson", "fpl"): 30}, facts=Facts(persons_known=False))
    data = front_lines(tables, config)["On what data"]
    assert data == "LiTS: 2 test images; which of them show the same person is not known. These are not LiTS images."


def test_what_was_not_run_follows_from_scores_and_config(build):
    cells = {(dataset, noise, "fpl"): 30 for dataset in ("lidc", "rsna") for noise in ("poisson", "rician")}
    cells |= {("lidc", "low_dose_ct", "fpl"): 30, ("lidc", "poisson", "noisy"): 20}
    config = load_config(
        {"datasets": {"lidc": {}, "rsna": {}}, "noises": {"poisson": {}, "rician": {}}, "methods": {"fpl": {}, "wiener": {}}}
    )
    found = not_run(build(cells, shown=("psnr", "feature_error"), partial=True), config)
    assert "Without any scores: Wiener Filt." in found
    paper = next(sentence for sentence in found if sentence.startswith("Of the paper's data sets, noises and methods: LiTS,"))
    assert "Speckle Noise" in paper and "DPIR" in paper
    assert not any(name in paper for name in ("LIDC", "Rician", "Poisson", "FPL"))
    assert "Low-dose CT Noise on RSNA." in found
    assert "No scores on LIDC and RSNA: Feature error." in found
    assert "LIDC: Not scored, with a dash where there is no number: Noisy on Low-dose CT Noise and Rician Noise." in found
    assert any("No intervals and no verdicts: with fewer than 12 patients (here 2)" in sentence for sentence in found)
    assert any("snakemake fair" in sentence for sentence in found)


def test_an_optional_column_is_left_out_with_its_reason(build, monkeypatch):
    from fplbench.denoising.registry import METHODS

    monkeypatch.setattr(type(METHODS["bm3d"]), "unusable", lambda method: "no bm3d here." if method.name == "bm3d" else None)
    config = load_config({"methods": {"fpl": {}, "bm3d": {"optional": True}}})
    found = not_run(build({("lidc", "poisson", "fpl"): 30}), config)
    assert found[0] == "BM3D was left out: no bm3d here."

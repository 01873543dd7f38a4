"""The front page of the report: what ran, on what data, what won, lost and was not run."""

import re
from html import unescape

import pytest

from fplbench.config import load_config
from fplbench.reporting.facts import Facts
from fplbench.reporting.front import front
from fplbench.reporting.lesion_scores import read_lesion_scores
from fplbench.reporting.not_run import not_run, without_scores
from fplbench.reporting.scores import read_scores
from fplbench.reporting.summary import summary
from fplbench.reporting.tables import build_table
from tests.reporting.conftest import lesion_row, write_lesion_scores

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
    assert data.startswith("LiTS: 2 test images; which of them show the same person is not known. These are not LiTS images.")


def test_modality_loader_window_and_what_counts_as_a_patient_stand_with_the_images(build):
    facts = Facts(False, identified=False, counted_by=("volume",), loader="mr", modalities=("MR",), window=(0, 900))
    data = front_lines(build({("lits", "poisson", "fpl"): 30}, facts=facts))["On what data"]
    assert data.startswith(
        "LiTS (MR, loader mr, window 0 to 900): 2 test images of 2 volumes; which of them show the same person"
    )


def test_the_licence_of_each_data_set_is_told(build):
    cells = {(dataset, "poisson", "fpl"): 30 for dataset in ("lidc", "rsna", "own")}
    data = front_lines(build(cells))["On what data"]
    assert "(CC BY 3.0)" in data and "may not be redistributed: the rules of the challenge on Kaggle" in data
    config = load_config({"datasets": {name: {"licence": "Made up & free."} for name in ("lidc", "rsna")}})
    data = front_lines(build(cells), config)["On what data"]
    assert data.count("Made up & free.") == 1 and "Kaggle" not in data


def test_what_was_not_run_follows_from_scores_and_config(build):
    cells = {(dataset, noise, "fpl"): 30 for dataset in ("lidc", "rsna") for noise in ("poisson", "rician")}
    cells |= {("lidc", "low_dose_ct", "fpl"): 30, ("lidc", "poisson", "noisy"): 20}
    config = load_config(
        {"datasets": {"lidc": {}, "rsna": {}}, "noises": {"poisson": {}, "rician": {}}, "methods": {"fpl": {}, "wiener": {}}}
    )
    tables = build(cells, shown=("psnr", "feature_error"), partial=True)
    found = not_run(tables, config)
    assert "Without any scores: Wiener Filt." in found
    paper = next(sentence for sentence in found if sentence.startswith("Of the paper's data sets, noises and methods: LiTS,"))
    assert "Speckle Noise" in paper and "DPIR" in paper
    assert not any(name in paper for name in ("LIDC", "Rician", "Poisson", "FPL"))
    assert found[0].startswith("No intervals and no verdicts: with fewer than 12 patients (here 2)")
    assert "once" in found[1] and "snakemake fair" in found[2]
    further = without_scores(tables)
    assert "Low-dose CT Noise on RSNA." in further
    assert "No scores on LIDC and RSNA: Feature error." in further
    assert "LIDC: Not scored, with a dash where there is no number: Noisy on Low-dose CT Noise and Rician Noise." in further


def test_an_optional_column_is_left_out_with_its_reason(build, monkeypatch):
    from fplbench.denoising.registry import METHODS

    monkeypatch.setattr(type(METHODS["bm3d"]), "unusable", lambda method: "no bm3d here." if method.name == "bm3d" else None)
    config = load_config({"methods": {"fpl": {}, "bm3d": {"optional": True}}})
    found = not_run(build({("lidc", "poisson", "fpl"): 30}), config)
    assert "BM3D was left out: no bm3d here." in found


def test_rows_that_are_won_by_a_hair_are_counted(build):
    """Leads of 0.05, 2 and 0.3 dB; the row of Gaussian and thermal noise counts by the smaller of its leads, 0.02 dB."""
    leads = {"poisson": 0.05, "rician": 2, "speckle": 0.3, "gaussian": 1, "thermal": 0.02, "motion": -0.01}
    cells = {("lidc", noise, "noisy"): 30 for noise in leads} | {("lidc", noise, "fpl"): 30 + by for noise, by in leads.items()}
    won = front_lines(build(cells, shown=("psnr",)))["What won"]
    assert "is ahead of its rival in 4 of 5 rows, by less than 0.1 dB in 2 of them." in won


def test_no_method_is_named_before_another_that_is_the_best_as_often(build):
    best = {"poisson": "fpl", "rician": "fpl", "speckle": "dpir", "motion": "wiener", "magnetic_field": "noisy"}
    cells = {("lidc", noise, name): 30 + (name == winner) for noise, winner in best.items() for name in set(best.values())}
    assert "in 5 rows: FPL (2)." in front_lines(build(cells))["What won"].replace("Our (FPL)", "FPL")
    cells = {key: value for key, value in cells.items() if key[1] not in ("poisson",)}
    assert re.search(r"in 4 rows: (\S.* \(1\), ){2}\S.* \(1\) and \S.* \(1\)\.", front_lines(build(cells))["What won"])


def test_words_that_only_this_benchmark_uses_are_explained(build):
    ran = front_lines(build({("lidc", "poisson", "fpl"): 30}, protocol="Fair protocol: tuned."))["What ran"]
    assert "the feature preserving loss of Dong and Basu (arXiv 2310.20101). Fair protocol: tuned." in ran
    assert "Dong" not in front_lines(build({("lidc", "poisson", "wiener"): 30}))["What ran"]


@pytest.fixture
def with_lesions(write_scores, tmp_path):
    """Function: the tables of a run with twelve inserted lesions in images of one patient, by their recovery per method."""

    def tables(recovery, inserted=True):
        scores = read_scores(write_scores({("lidc", "poisson", name): [30] for name in recovery}))["lidc"]
        rows = [
            lesion_row(name, f"l{i}", "i0", "p0", value + i / 1000, int(inserted))
            for name, value in recovery.items()
            for i in range(12)
        ]
        write_lesion_scores(tmp_path / "poisson.csv", rows)
        lesions = {"inserted" if inserted else "lesions": read_lesion_scores(tmp_path, ["poisson"], inserted)}
        return [build_table("lidc", scores, 0, shown=("psnr", "inserted_recovery_error", "recovery_error"), **lesions)]

    return tables


@pytest.mark.parametrize(("inserted", "where"), [(True, "inserted into"), (False, "annotated in")])
def test_lost_contrast_of_lesions_is_told_of(with_lesions, inserted, where):
    """FPL keeps half of the contrast, the unprocessed image nine tenths: behind, in each of twelve lesions, so p = 2 / 2^12."""
    lost = front_lines(with_lesions({"fpl": 0.5, "noisy": 0.9}, inserted))["What lost"]
    kind = "inserted" if inserted else "annotated"
    assert f"(|1 − recovery|): FPL is not ahead in 1 of 1 row (12 {kind} lesions)" in lost.replace("Our (FPL)", "FPL")
    assert "it keeps the contrast worse than the unprocessed image in 1 of 1." in lost
    assert f"is worse in 1 of the 1 row that can be tested, all of lesions {where} images of one patient." in lost


def test_contrast_that_is_kept_is_not_called_lost(with_lesions):
    lines = front_lines(with_lesions({"fpl": 0.9, "noisy": 0.5}))
    assert (
        "not ahead in 0 of 1 row (12 inserted lesions); it keeps the contrast worse than the unprocessed image in 0 of 1."
        in lines["What lost"]
    )
    assert "is better in 1 of the 1 row" in lines["What won"]


def test_without_scored_lesions_nothing_is_said_of_their_contrast(build):
    assert "lesion" not in front_lines(build({("lidc", "poisson", "fpl"): 30, ("lidc", "poisson", "noisy"): 20}))["What lost"]

"""Cells that were not scored are refused, or shown as dashes that the caption names."""

import csv

import numpy as np
import pytest

from fplbench.config import load_config
from fplbench.errors import InputError
from fplbench.reporting.captions import presentation
from fplbench.reporting.lesion_scores import read_lesion_scores
from fplbench.reporting.missing import check_datasets, expected
from fplbench.reporting.notes import caption
from fplbench.reporting.repeats import merged, read_dataset
from fplbench.reporting.scores import NoiseScores
from fplbench.reporting.tables import build_table
from fplbench.reporting.verdicts import rivals
from tests.helpers.scores import read_rows, run, write_config, write_long_table
from tests.reporting.conftest import lesion_row, write_lesion_scores

CONFIG = {
    "datasets": ["lidc"],
    "noises": ["gaussian", "poisson", "rician"],
    "methods": {"noisy": {}, "nlm": {}, "wiener": {}},
    "feature_error": ["gaussian"],
    "reference": "nlm",
}
COLUMNS = tuple(CONFIG["methods"])


def cells(*without, noises=CONFIG["noises"], columns=COLUMNS):
    """PSNR of two images of each column on each noise, but for some cells."""
    return {("lidc", noise, name): [30, 31] for noise in noises for name in columns if (name, noise) not in without}


def write(folder, scores, partial=False, **values):
    write_long_table(folder / "scores.csv", scores)
    config = write_config(folder / "config.json", **(CONFIG | {"tables": {"partial": partial}} | values))
    run("table", folder / "scores.csv", "lidc", "--out-dir", folder, "--config", config)
    return (folder / "lidc.md").read_text()


def test_a_complete_table_needs_nothing(tmp_path):
    assert "Not scored" not in write(tmp_path, cells())


def test_a_missing_cell_is_refused_with_its_name_and_the_key(tmp_path):
    sentence = r"table of lidc lacks 1 cell: wiener on poisson. Score what is missing, or set tables.partial: true in the config"
    with pytest.raises(InputError, match=sentence):
        write(tmp_path, cells(("wiener", "poisson")))


def test_the_first_three_of_many_missing_cells_are_named(tmp_path):
    with pytest.raises(InputError, match=r"lacks 4 cells: noisy on rician, nlm on rician, wiener on rician and 1 more\."):
        write(tmp_path, cells(*((name, "rician") for name in COLUMNS)) | cells(noises=["thermal"], columns=["noisy", "nlm"]))


def test_without_a_config_all_methods_are_needed_on_all_noises_of_the_file(write_scores):
    scores = read_dataset(write_scores(cells(("nlm", "poisson"))), "lidc")
    with pytest.raises(InputError, match=r"lacks 1 cell: nlm on poisson\."):
        build_table("lidc", scores, 0)


def test_a_data_set_that_the_config_does_not_have_needs_what_its_scores_have(tmp_path):
    write_long_table(tmp_path / "scores.csv", {("mine", "gaussian", "nlm"): [30, 31]})
    run("table", tmp_path / "scores.csv", "mine", "--out-dir", tmp_path, "--config", write_config(tmp_path / "c.json", **CONFIG))
    assert len(read_rows(tmp_path / "mine.csv")) == 3


def test_partial_shows_a_dash_in_every_file_and_the_caption_says_what_is_missing(tmp_path):
    text = write(tmp_path, cells(("wiener", "poisson"), *((name, "rician") for name in COLUMNS)), partial=True)
    note = "Not scored, with a dash where there is no number: every method on Rician Noise; Wiener Filt. on Poisson Noise."
    assert note in text
    rows = [[cell.strip() for cell in line.split("|")[2:-1]] for line in text.splitlines() if line.startswith("| ")]
    assert ["Poisson Noise", "**30.50**", "**30.50**", "–"] in rows and ["Rician", "–", "–", "–"] in rows
    latex = (tmp_path / "lidc.tex").read_text()
    assert note in latex and r"Rician & -- & -- & -- \\" in latex
    page = (tmp_path / "lidc.html").read_text()
    assert note in page and page.count("<td>–</td>") == 2 * 4  # in the blocks PSNR and SSIM
    means = {(row["noise"], row["method"]): row["mean"] for row in read_rows(tmp_path / "lidc.csv") if row["metric"] == "psnr"}
    assert len(means) == 9 and means["rician", "nlm"] == means["poisson", "wiener"] == "" and means["poisson", "nlm"] == "30.5"


def test_a_column_that_was_not_scored_at_all_is_a_column_of_dashes(tmp_path):
    text = write(tmp_path, cells(columns=["noisy", "nlm"]), partial=True)
    assert "Wiener Filt." in next(line for line in text.splitlines() if "Noise Type" in line)
    assert "Not scored, with a dash where there is no number: Wiener Filt. on every noise." in text


def test_a_row_of_dashes_has_no_rival_and_no_win(write_scores):
    scores = read_dataset(write_scores(cells(("nlm", "poisson"), ("wiener", "rician"), ("noisy", "rician"))), "lidc")
    table = build_table("lidc", scores, 0, reference="nlm", partial=True)
    assert [rival.noise for rival in rivals(table, "psnr")] == ["gaussian"]


def test_a_noise_that_is_limited_to_other_data_sets_is_not_missing():
    noises = {"gaussian": {}, "low_dose_ct": {"datasets": ["lidc"]}}
    config = load_config({**CONFIG, "datasets": ["lidc", "lits"], "noises": noises})
    assert expected(config, "lits").noises == ["gaussian"]
    assert expected(config, "mine") is expected(None, "lidc") is None


def with_features(path, *lacking):
    """Add feature errors to a long table, blank for some methods."""
    rows = read_rows(path)
    with open(path, "w", newline="") as stream:
        writer = csv.DictWriter(stream, [*rows[0], "feature_error"], lineterminator="\n")
        writer.writeheader()
        for row in rows:
            scored = row["noise"] == "gaussian" and row["method"] not in lacking
            writer.writerow(row | {"feature_error": 0.5 if scored else ""})
    return read_dataset(path, "lidc")


def test_a_metric_that_one_method_lacks_on_a_noise_is_missing_and_on_other_noises_it_is_not(write_scores):
    path = write_scores(cells())
    assert list(build_table("lidc", with_features(path), 0).blocks["feature_error"]) == ["gaussian"]
    scores = with_features(write_scores(cells()), "nlm")
    with pytest.raises(InputError, match=r"lacks 1 cell: feature_error of nlm on gaussian\."):
        build_table("lidc", scores, 0)
    table = build_table("lidc", scores, 0, partial=True)
    assert "Feature error of NL Mean. on Gaussian Noise." in caption(table, ["psnr", "feature_error"])
    assert "Not scored" not in caption(table, ["psnr"])  # where it is not shown


def trained(**seeds):
    """Scores of two images by column, with as many trainings as given."""
    names = [name if number == 1 else f"{name}-{number}" for name, count in seeds.items() for number in range(1, count + 1)]
    return merged(NoiseScores(("i0", "i1"), ("a", "b"), {"psnr": {name: np.array([30.0, 31]) for name in names}}))


def test_a_method_with_three_of_five_trainings_on_a_noise_is_missing_two():
    scores = {"gaussian": trained(fpl=5, noisy=1), "poisson": trained(fpl=3, noisy=1)}
    with pytest.raises(InputError, match=r"lacks 1 cell: fpl on poisson \(3 of 5 trainings\)\."):
        build_table("lidc", scores, 0)
    table = build_table("lidc", scores, 0, partial=True)
    assert "FPL with 3 of 5 trainings on Poisson Noise." in caption(table, ["psnr"])
    assert table.blocks["psnr"]["poisson"]["fpl"].seeds == 3


def test_a_config_with_repeats_needs_all_trainings_of_networks_alone():
    config = load_config({**CONFIG, "methods": ["noisy", "fpl"], "repeats": 5, "noises": ["gaussian"], "reference": "fpl"})
    wanted = expected(config, "lidc")
    assert wanted.trainings == {"fpl": 5}
    with pytest.raises(InputError, match=r"lacks 1 cell: fpl on gaussian \(3 of 5 trainings\)\."):
        build_table("lidc", {"gaussian": trained(fpl=3, noisy=1)}, 0, wanted=wanted)
    build_table("lidc", {"gaussian": trained(fpl=5, noisy=1)}, 0, wanted=wanted)


@pytest.fixture
def lesions(tmp_path, write_scores):
    """Function: a table of two noises with scores of a real and an inserted lesion of some columns, on some noises."""

    def build(real, inserted, noises=("gaussian", "poisson"), columns=("noisy", "nlm"), **options):
        for noise in noises:
            rows = [lesion_row(name, "a", "i0", "p0", 0.5) for name in real]
            rows += [lesion_row(name, "x", "i0-1", "p0", 0.5, 1) for name in inserted]
            write_lesion_scores(tmp_path / f"{noise}.csv", rows)
        scores = read_dataset(write_scores(cells(noises=["gaussian", "poisson"], columns=columns)), "lidc")
        found = [read_lesion_scores(tmp_path, scores, planted) for planted in (False, True)]
        return build_table("lidc", scores, 0, lesions=found[0], inserted=found[1], **options)

    return build


def test_lesion_scores_that_a_method_or_a_noise_lacks_are_missing(lesions):
    both = ["noisy", "nlm"]
    lesions(both, both)
    with pytest.raises(InputError, match=r"lacks 2 cells: lesion scores of nlm on gaussian, lesion scores of nlm on poisson\."):
        lesions(["noisy"], both)
    with pytest.raises(InputError, match=r"lacks 2 cells: scores of inserted lesions of nlm on gaussian, scores of inserted"):
        lesions(both, ["noisy"])


def test_real_lesions_are_scored_on_every_noise_and_inserted_ones_where_the_config_says_so(lesions):
    both = ["noisy", "nlm"]
    with pytest.raises(InputError, match=r"lacks 2 cells: lesion scores of noisy on poisson, lesion scores of nlm on poisson\."):
        lesions(both, both, noises=["gaussian"])
    values = {"noises": ["gaussian", "poisson"], "methods": both}
    wanted = expected(load_config({**CONFIG, **values, "inserted": {"noises": ["gaussian", "poisson"]}}), "lidc")
    with pytest.raises(
        InputError, match=r"lacks 4 cells: lesion scores of noisy on poisson, scores of inserted lesions of noisy"
    ):
        lesions(both, both, noises=["gaussian"], wanted=wanted)


def test_a_method_of_a_rule_file_has_no_inserted_lesions_and_the_caption_says_so(lesions):
    columns = ("noisy", "nlm", "kuwahara")
    config = load_config(
        {**CONFIG, "noises": ["gaussian", "poisson"], "methods": {"noisy": {}, "nlm": {}, "kuwahara": {"rule": True}}}
    )
    for wanted in (None, expected(config, "lidc")):
        table = lesions(columns, ("noisy", "nlm"), columns=columns, wanted=wanted)
        text = caption(table, ["psnr", "inserted_contrast_recovery"])
        assert "Without scores of inserted lesions, as rule files make their images: kuwahara." in text
        assert "rule files" not in caption(table, ["psnr"])
        assert "kuwahara" not in table.blocks["inserted_contrast_recovery"]["gaussian"]


def test_the_presentation_takes_the_key_from_the_config():
    assert presentation(load_config({**CONFIG, "tables": {"partial": True}})).partial
    assert not presentation(load_config(CONFIG)).partial


def test_a_report_needs_scores_of_every_data_set():
    config = load_config(CONFIG | {"datasets": ["lidc", "lits", "rsna"]})
    check_datasets(config, ["rsna", "lidc", "lits"])
    check_datasets(None, ["lidc"])
    with pytest.raises(InputError, match="There are no scores of lits and rsna: score what is missing"):
        check_datasets(config, ["lidc"])
    check_datasets(load_config(CONFIG | {"datasets": ["lidc", "lits"], "tables": {"partial": True}}), ["lidc"])

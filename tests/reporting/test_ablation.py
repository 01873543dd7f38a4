import json

import pytest
from PIL import Image

from fplbench.errors import InputError
from fplbench.reporting.ablation import write_ablation
from fplbench.reporting.ablation_figure import figure
from fplbench.reporting.ablation_roles import Roles
from fplbench.reporting.comparison import compare
from fplbench.reporting.labels import Labels
from tests.helpers.ablation import by_method, lesion_rows, write_alignment, write_detectability, write_images, write_lesions
from tests.helpers.scores import read_rows, run, write_config

CONTROL = "residual_same_seconds"
ROLES = Roles(("fpl", "lesion_weight"), ("mask_weight",), {CONTROL: "", "fpl": "guided", "lesion_weight": "", "mask_weight": ""})
SPREAD = (-0.02, -0.01, 0, 0.01, 0.02)


def seeds(mean):
    return [mean + each for each in SPREAD]


@pytest.fixture
def folder(tmp_path):
    """An ablation of five seeds: annotated and inserted lesions, d', alignment and screening."""
    psnr = {CONTROL: seeds(30), "fpl": seeds(29.5), "lesion_weight": seeds(30.25)}
    lesion = {CONTROL: seeds(20), "fpl": seeds(20), "lesion_weight": seeds(21)}
    kept = {CONTROL: seeds(0.5), "fpl": seeds(0.5), "lesion_weight": seeds(0.75)}
    for stage in ("validation", "test"):
        for noise in ("gaussian", "poisson"):
            cell = f"lidc/{noise}"
            write_images(tmp_path / stage, cell, psnr)
            both = [*lesion_rows(lesion, kept), *lesion_rows(lesion, kept, inserted=1)]
            write_lesions(tmp_path / stage, cell, sorted(both, key=lambda row: [*by_method(psnr)].index(row["method"])))
            if stage == "test":
                write_detectability(tmp_path / stage, cell, {CONTROL: seeds(2), "fpl": seeds(2), "lesion_weight": seeds(2.5)})
    write_alignment(tmp_path, "lidc/gaussian", {"residual": 1, "guided": 0.04, "flat": ""})
    write_alignment(tmp_path, "lidc/poisson", {"residual": 1, "guided": 0.06, "flat": ""})
    (tmp_path / "aligned.json").write_text(
        json.dumps({"variants": ["fpl"], "left_out": {"guided_2": 0.012, "as_published": None}})
    )
    ranking = [
        {"variant": "lesion_weight", "lesion_psnr_gain": 1, "psnr_gain": 0.25, "recovery_error_gain": 0.25},
        {"variant": "sobel", "lesion_psnr_gain": 0.5, "psnr_gain": -0.25, "recovery_error_gain": None},
    ]
    screened = {"variants": [CONTROL, "fpl", "lesion_weight"], "ranking": ranking, "reference": CONTROL}
    methods = [f"{name}-1" for name in (CONTROL, "fpl", "lesion_weight", "sobel")]
    (tmp_path / "screened.json").write_text(json.dumps({**screened, "methods": methods, "cells": ["lidc/gaussian"]}))
    return tmp_path


def test_the_table_holds_every_stage_metric_and_variant(folder):
    write_ablation(folder, CONTROL, ROLES)
    rows = read_rows(folder / "ablation.csv")
    assert list(rows[0]) == [
        "stage", "dataset", "noise", "metric", "variant", "mean", "gain", "low", "high", "p", "seeds",
        "seed_1", "seed_2", "seed_3", "seed_4", "seed_5",
    ]  # fmt: skip
    # psnr, ssim, feature_error, and three scores of both kinds of lesions; d' on test images alone.
    assert len(rows) == 2 * 3 * (9 + 10)
    found = {(row["stage"], row["noise"], row["metric"], row["variant"]): row for row in rows}
    own = found["test", "poisson", "psnr", "lesion_weight"]
    assert (float(own["mean"]), float(own["gain"]), own["seeds"]) == (pytest.approx(30.25), pytest.approx(0.25), "5")
    assert float(own["seed_1"]) == pytest.approx(30.23)
    recovery = found["validation", "gaussian", "inserted_contrast_recovery", "lesion_weight"]
    assert (float(recovery["mean"]), recovery["gain"], recovery["low"]) == (pytest.approx(0.75), "", "")
    error = found["validation", "gaussian", "inserted_recovery_error", "lesion_weight"]
    assert (float(error["mean"]), float(error["gain"])) == (pytest.approx(0.25), pytest.approx(0.25))
    # The mean over both kinds of signals; the unprocessed images do not count.
    assert float(found["test", "poisson", "dprime", "fpl"]["mean"]) == pytest.approx(2)
    assert float(found["test", "poisson", "feature_error", CONTROL]["mean"]) == pytest.approx(1 / 3, abs=1e-4)


def test_the_page_has_the_verdict_the_tables_and_how_variants_were_chosen(folder):
    write_ablation(folder, CONTROL, ROLES)
    text = (folder / "ablation.md").read_text()
    assert "**`lesion_weight` passes** on annotated lesions of LIDC" in text
    assert "LIDC: 2 images and copies with inserted lesions of 1 patient." in text
    assert "over 5 training seeds alone, on the same images, and say nothing about other patients" in text
    # Two noises with three variants and five seeds; sobel was screened on one.
    assert "31 trainings of denoisers in all, 1 of them for the screening alone." in text
    table = text.partition("### LIDC, Gaussian Noise")[2].partition("###")[0].strip().splitlines()
    head = [cell.strip() for cell in table[0].strip("|").split("|")]
    assert head == [
        "Variant", "PSNR, dB", "Lesion PSNR (annotated), dB", "Contrast recovery (annotated)", "Lesion PSNR (inserted), dB",
        "Contrast recovery (inserted)", "d'", "Feature error",
    ]  # fmt: skip
    control, _, weight = [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:]]
    assert control[:4] == [CONTROL, "30.00", "20.00", "0.500"]
    assert weight[0] == "lesion_weight"
    assert weight[1].startswith("30.25 (+0.25 [")
    assert weight[3].startswith("0.750 (+0.250 [")
    screening = text.partition("## Screening")[2]
    assert "mean gains over `residual_same_seconds` on lidc/gaussian." in screening
    assert "| 1    | lesion_weight |" in screening and "| 2    | sobel         |" in screening
    assert "Not trained, for their mean cosine: `guided_2` (0.012)." in screening
    assert (
        "Not trained, since their loss has no gradient, so that training equals `residual_same_steps`: `as_published`."
        in screening
    )
    guided = next(line for line in screening.splitlines() if line.startswith("| guided "))
    assert [cell.strip() for cell in guided.strip("|").split("|")] == ["guided", "0.040", "0.060", "0.050", "fpl"]


def test_without_alignment_and_screening_the_page_has_no_such_sections(folder):
    for path in [folder / "aligned.json", folder / "screened.json", *folder.glob("alignment/*/*.csv")]:
        path.unlink()
    write_ablation(folder, CONTROL, ROLES)
    text = (folder / "ablation.md").read_text()
    assert "## Screening" not in text and "## Alignment" not in text
    assert "30 trainings of denoisers in all." in text


def test_the_figure_has_a_row_for_each_metric_and_a_column_for_each_noise(folder):
    write_ablation(folder, CONTROL, ROLES)
    assert Image.open(folder / "ablation_lidc.png").format == "PNG"
    values = {
        "inserted_lesion_psnr": {CONTROL: seeds(20), "lesion_weight": seeds(21)},
        "inserted_contrast_recovery": {CONTROL: seeds(0.5), "lesion_weight": seeds(0.75)},
        "psnr": {CONTROL: seeds(30), "lesion_weight": seeds(30)},
    }
    cell = {metric: by_method(own) for metric, own in values.items()}
    rows = compare({("lidc", "x"): cell, ("lidc", "y"): cell}, CONTROL)
    axes = figure(rows, ROLES, CONTROL, Labels()).axes
    assert len(axes) == 3 * 2
    assert [axis.get_xlabel() for axis in axes[::2]] == [
        "Lesion PSNR (inserted), gain in dB",
        "Contrast recovery (inserted)",
        "PSNR, gain in dB",
    ]
    assert [text.get_text() for text in axes[0].get_yticklabels()] == [CONTROL, "lesion_weight"]
    colours = {line.get_color() for line in axes[0].get_lines() if line.get_marker() == "o"}
    assert colours == {"0.45", "#0072B2"}
    recovery = axes[2].get_lines()
    assert list(recovery[-1].get_xdata()) == [1, 1]


def test_what_is_missing_is_named(folder):
    with pytest.raises(InputError, match="'residual', the control, was not scored on lidc/gaussian by psnr"):
        write_ablation(folder, "residual", ROLES)
    write_detectability(folder / "test", "lidc/gaussian", {CONTROL: seeds(2), "fpl": seeds(2)})
    with pytest.raises(InputError, match="'lesion_weight-1' was not scored by dprime on lidc/gaussian"):
        write_ablation(folder, CONTROL, ROLES)
    with pytest.raises(InputError, match="has no scores"):
        write_ablation(folder / "elsewhere", CONTROL, ROLES)


def test_a_file_of_choices_that_is_none_is_named(folder):
    (folder / "screened.json").write_text("{}")
    with pytest.raises(InputError, match=r"screened.json does not hold ranking, methods, cells: run `snakemake ablation` again"):
        write_ablation(folder, CONTROL, ROLES)


def test_the_command_takes_roles_from_the_config_and_persons_from_the_data(folder, tmp_path):
    config = write_config(tmp_path / "config.json", datasets={"lidc": {"root": "x"}})
    (tmp_path / "data" / "lidc").mkdir(parents=True)
    (tmp_path / "data" / "lidc" / "sampling.json").write_text(json.dumps({"persons_known": False}))
    run("ablation", folder, "--control", CONTROL, "--config", config, "--data", tmp_path / "data")
    text = (folder / "ablation.md").read_text()
    assert "**`lesion_weight` passes**" in text
    assert "LIDC: 2 images and copies with inserted lesions; which of them show the same person is not known" in text

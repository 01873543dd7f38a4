"""The table of the fair comparison: FPL, its controls, the learned methods of one budget, and the best filter."""

import re

import numpy as np
import pytest

from fplbench.errors import InputError
from fplbench.files import write_csv
from fplbench.reporting.sentences import listed
from tests.helpers.scores import FAIR_PSNR, fair_cells, read_rows, run, write_config, write_long_table
from tests.reporting.conftest import lesion_row, write_lesion_scores

NOISES = ("gaussian", "structured")
CONTROLS = ["noisy", "noisy_grey_map", "fpl", "residual_same_steps", "residual_same_seconds"]


@pytest.fixture
def folder(tmp_path):
    """Scores of two noises, where NL means is the better filter on test images and the bilateral one on validation images."""
    write_long_table(tmp_path / "scores.csv", fair_cells(NOISES, 1), patients="a")
    for noise in NOISES:
        rows = [
            {
                "method": name,
                "image_id": "v",
                "patient": "q",
                "psnr": mean + 2 * (name == "bilateral"),
                "psnr_uint8": 30,
                "ssim": 0.5,
            }
            for name, mean in FAIR_PSNR.items()
        ]
        write_csv(tmp_path / "validation" / "scores" / "lidc" / f"{noise}.csv", rows)
    methods = {name: {} for name in ("residual_same_steps", "residual_same_seconds", "red_cnn", "noise2void")}
    seconds = {"fpl": 0.06, "residual_same_steps": 0.03, "red_cnn": 0.12, "noise2void": 0.06}
    fair = {"methods": methods, "budgets": ["steps", "seconds"], "device": "one GPU", "seconds_per_step": seconds}
    values = {"datasets": ["lidc"], "noises": list(NOISES), "protocol": "fair", "training": {"fpl": {"steps": 200}}, "fair": fair}
    write_config(tmp_path / "config.json", **values)
    return tmp_path


def write(folder, budget="steps", *options):
    run("fair-table", folder / "scores.csv", "lidc", "--out-dir", folder, "--budget", budget, *options)
    rows = [row for row in read_rows(folder / f"lidc_{budget}.csv") if (row["metric"], row["noise"]) == ("psnr", "gaussian")]
    return {row["method"]: float(row["mean"]) for row in rows}, (folder / f"lidc_{budget}.md").read_text()


def test_each_budget_has_its_learned_methods_and_both_have_the_controls(folder):
    steps, _ = write(folder)
    assert list(steps) == [*CONTROLS, "noise2void", "red_cnn", "dpir", "best_filter"]
    seconds, text = write(folder, "seconds")
    assert list(seconds) == [*CONTROLS, "noise2void_same_seconds", "red_cnn_same_seconds", "dpir", "best_filter"]
    assert (steps["red_cnn"], seconds["red_cnn_same_seconds"]) == (29, 29.25)
    assert "| RED-CNN |" in text and "RED-CNN, same seconds" not in text
    names = {file.name for file in folder.iterdir()}
    assert {f"lidc_{budget}{end}" for budget in ("steps", "seconds") for end in (".tex", ".md", ".html", ".csv")} <= names


def test_the_best_filter_is_chosen_on_validation_images(folder):
    means, text = write(folder, "steps", "--validation", folder / "validation")
    assert means["best_filter"] == FAIR_PSNR["bilateral"]
    assert "Best filter, by PSNR on validation images: Bilat. for Gaussian Noise; Bilat. for Structured Noise." in text
    means, text = write(folder)
    assert means["best_filter"] == FAIR_PSNR["nlm"]
    assert "Best filter, by PSNR on the test images themselves, which favours it: NL Mean. for Gaussian" in text


def test_the_caption_says_what_the_budget_is(folder):
    config = ("--config", folder / "config.json")
    text = write(folder, "steps", *config)[1]
    assert "Each network that learns the noise has as many optimiser steps as FPL (200)" in text
    assert "Fair protocol: the options (†) and grey maps of filters and DPIR are the best on training images of each" in text
    text = write(folder, "seconds", *config)[1]
    assert "has as many seconds of training as FPL, turned into steps at the speeds measured on one GPU" in text
    # 200 steps of 0.06 s take 12 s: 400 steps of 0.03 s, 200 of 0.06 s and 100 of 0.12 s.
    assert "Steps in FPL's seconds: U-Net, same seconds 400; Noise2Void 200; RED-CNN 100; FPL itself 200." in text
    assert "Trained on noisy images alone: Noise2Void." in text


def test_the_summary_says_what_fpl_wins_and_loses(folder):
    run("fair-summary", folder / "fair.md", folder / "scores.csv", "--validation", folder / "validation")
    text = (folder / "fair.md").read_text()
    assert "means over 1 test image of one patient and say nothing about others. Each network was trained once" in text
    assert (
        "FPL has the higher PSNR on 0 of 2 noises against the U-Net with as many steps and the U-Net with as many seconds" in text
    )
    assert (
        "- PSNR: FPL has 29.50 dB. It loses to the U-Net with as many steps (29.75) and the U-Net with as many seconds (30.00). "
        "It beats RED-CNN (29.00), DPIR (28.00), Noise2Void (27.00), the best filter (24.00), the unprocessed image with a grey "
        "map (21.00) and the unprocessed image (20.00)." in text
    )
    row = next(line for line in text.splitlines() if line.startswith("| the U-Net with as many seconds"))
    assert row.split("|")[2].strip() == "−0.500"


def test_the_summary_has_a_section_for_each_budget_of_the_config(folder):
    run("fair-summary", folder / "fair.md", folder / "scores.csv", "--config", folder / "config.json")
    text = (folder / "fair.md").read_text()
    assert text.count("## LIDC: the fair comparison") == 2
    assert "RED-CNN (29.00)" in text.split("## ")[1] and "RED-CNN (29.25)" in text.split("## ")[2]


def renamed(folder, methods, fair_methods, columns, seconds=None, budgets=("steps", "seconds")):
    """A config whose columns have names of their own, and scores with the means of the registered ones that they stand for."""
    fair = {
        "methods": fair_methods,
        "budgets": list(budgets),
        "seconds_per_step": seconds or {"fpl": 0.06, "red_cnn": 0.03},
    }
    values = {"datasets": ["lidc"], "noises": list(NOISES), "methods": methods, "training": {"fpl": {"steps": 200}}}
    write_config(folder / "config.json", protocol="fair", fair=fair, **values)
    cells = {("lidc", noise, name): [FAIR_PSNR[like]] for noise in NOISES for name, like in columns.items()}
    write_long_table(folder / "scores.csv", cells, patients="a")
    return ("--config", folder / "config.json")


def test_the_config_says_which_budget_a_renamed_network_has_and_what_is_a_filter(folder):
    methods = {"noisy": {}, "fpl": {}, "smooth": {"method": "gaussian_filter"}, "nlm": {}}
    scored = {"noisy": "noisy", "fpl": "fpl", "smooth": "nlm", "nlm": "bilateral", "wide": "red_cnn"}
    scored["wide_same_seconds"] = "red_cnn_same_seconds"
    config = renamed(folder, methods, {"wide": {"method": "red_cnn", "label": "Wide"}}, scored)
    steps, text = write(folder, "steps", *config)
    assert steps == {"noisy": 20, "fpl": 29.5, "wide": 29, "best_filter": 25}
    assert "themselves, which favours it: Gaus. Filt.† for Gaussian Noise" in text
    seconds, text = write(folder, "seconds", *config)
    assert seconds == {"noisy": 20, "fpl": 29.5, "wide_same_seconds": 29.25, "best_filter": 25}
    assert " Wide |" in text and "Wide, same" not in text and "Steps in FPL's seconds: Wide 400; FPL itself 200." in text


def test_a_network_whose_entry_has_the_budget_of_seconds_is_in_that_table(folder):
    config = renamed(folder, {"fpl": {}}, {"red_cnn": {"budget": "seconds"}}, {"fpl": "fpl", "red_cnn": "red_cnn"})
    seconds, text = write(folder, "seconds", *config)
    assert list(seconds) == ["fpl", "red_cnn"]
    assert "| RED-CNN |" in text and "Steps in FPL's seconds: RED-CNN 400; FPL itself 200." in text
    with pytest.raises(InputError, match="no scores of networks with FPL's number of steps"):
        write(folder, "steps", *config)


@pytest.mark.parametrize("control", ["residual_same_steps", "residual_same_seconds"])
def test_a_table_may_have_fpl_and_a_control_alone(folder, control):
    seconds = {"fpl": 0.06, "residual_same_steps": 0.03}
    config = renamed(folder, {"fpl": {}}, {control: {}}, {"fpl": "fpl", control: control}, seconds, ["steps"])
    assert list(write(folder, "steps", *config)[0]) == list(write(folder)[0]) == ["fpl", control]


def test_columns_that_the_config_wants_and_that_cannot_be_made_are_named(folder):
    wanted = {"optional": True}
    methods = {"red_cnn": wanted, "dncnn": wanted, "residual_same_seconds": wanted}
    scored = {"fpl": "fpl", "red_cnn": "red_cnn", "dncnn": "red_cnn", "red_cnn_same_seconds": "red_cnn_same_seconds"}
    config = renamed(folder, {"fpl": {}}, methods, scored)
    control = (
        "U-Net, same seconds (the budget of seconds needs fair.seconds_per_step.residual_same_steps: `fplbench step-seconds "
        "--config CONFIG` measures it)"
    )
    assert f"Not in this table: {control}.\n" in write(folder, "steps", *config)[1]
    network = control.replace("residual_same_steps", "dncnn").replace("U-Net, same seconds", "DnCNN")
    text = write(folder, "seconds", *config)[1]
    assert sorted(re.findall(r"Not in this table: (.*)\.", text)[0].split("; ")) == [network, control]


def test_without_networks_of_the_budget_there_is_no_table(folder):
    cells = {name: values for name, values in fair_cells(NOISES, 1).items() if not name[2].endswith("_same_seconds")}
    write_long_table(folder / "scores.csv", cells)
    with pytest.raises(InputError, match=r"no scores of networks with FPL's seconds: run `snakemake fair`"):
        write(folder, "seconds")


def test_many_patients_and_five_seeds_have_leads_with_intervals(folder):
    write_long_table(folder / "scores.csv", fair_cells(NOISES, 20, 5))
    run("fair-summary", folder / "fair.md", folder / "scores.csv")
    row = next(line for line in (folder / "fair.md").read_text().splitlines() if line.startswith("| the unprocessed image  "))
    value, low, high = (float(word.strip("[]+")) for word in row.split("|")[2].replace("to", "").split())
    # The lead over a method that is not trained differs between the seeds alone: Student's interval of five seeds.
    error = np.std(np.linspace(-0.25, 0.25, 5), ddof=1) / np.sqrt(5)
    assert (value, low, high) == pytest.approx((9.5, 9.5 - 2.776 * error, 9.5 + 2.776 * error), abs=0.02)


def test_what_is_printed_alike_is_neither_won_nor_lost(folder):
    cells = fair_cells(NOISES, 1)
    cells["lidc", "gaussian", "red_cnn"] = [29.504]
    cells["lidc", "structured", "red_cnn"] = [29.506]
    write_long_table(folder / "scores.csv", cells, patients="a")
    run("fair-summary", folder / "fair.md", folder / "scores.csv")
    text = (folder / "fair.md").read_text()
    assert "on 0 of 2 noises, about equal on 1, against RED-CNN; on 2 of 2 noises against the unprocessed image" in text
    gaussian, structured = text.split("**Structured Noise**")
    assert "(30.00). It is about equal to RED-CNN (29.50). It beats DPIR (28.00)" in gaussian
    assert "It loses to RED-CNN (29.51), the U-Net with as many steps (29.75)" in structured


def test_a_lead_whose_interval_holds_zero_is_neither_won_nor_lost(folder):
    cells = fair_cells(NOISES, 20)
    fpl = cells["lidc", "gaussian", "fpl"]
    cells["lidc", "gaussian", "red_cnn"] = [value - 0.1 + (1 if i % 2 else -1) for i, value in enumerate(fpl)]
    write_long_table(folder / "scores.csv", cells)
    run("fair-summary", folder / "fair.md", folder / "scores.csv")
    text = (folder / "fair.md").read_text()
    assert "on 1 of 2 noises, about equal on 1, against RED-CNN" in text
    assert "It is about equal to RED-CNN (29.40)." in text
    assert "In brackets: 95 % intervals over 20 patients. About equal: the printed numbers are the same, or" in text


@pytest.mark.parametrize(("lesions", "expected"), [(1, "one lesion (1 image)"), (13, "13 lesions")])
def test_the_summary_says_on_how_many_lesions_contrast_was_measured(folder, lesions, expected):
    rows = [lesion_row(name, str(i), "i0", "a", 0.9) for name in FAIR_PSNR for i in range(lesions)]
    for noise in NOISES:
        write_lesion_scores(folder / "lesions" / "lidc" / f"{noise}.csv", rows)
    run("fair-summary", folder / "fair.md", folder / "scores.csv", "--lesion-scores", folder / "lesions")
    text = (folder / "fair.md").read_text()
    assert f"- Error of the contrast recovery of {expected}, where less is better: FPL has 0.100. It is about equal to" in text
    over = "over 13 lesions of one patient; columns without brackets have none, as they have fewer than 12 patients."
    assert (over in text) == (lesions == 13)


def test_words_are_listed_as_in_a_sentence():
    assert [listed(list(words)) for words in ("", "a", "ab", "abc")] == ["", "a", "a and b", "a, b and c"]

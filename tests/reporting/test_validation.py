"""Rivals are chosen on validation images and judged on test images."""

import numpy as np
import pytest

from fplbench.errors import InputError
from fplbench.files import write_csv
from fplbench.reporting.choices import choice_note
from fplbench.reporting.scores import NoiseScores
from fplbench.reporting.tables import build_table
from fplbench.reporting.validation import read_validation
from fplbench.reporting.verdicts import rivals
from fplbench.reporting.wins import count_wins, row_groups, wins_sentence
from tests.reporting.conftest import lesion_row, write_lesion_scores


def scores(**psnr):
    names = tuple(f"p{i}" for i in range(2))
    values = {name: np.array([value, value]) for name, value in psnr.items()}
    return NoiseScores(names, names, {"psnr": values, "ssim": {name: each / 100 for name, each in values.items()}})


def table(validation=None, **noises):
    return build_table("lidc", noises or {"gaussian": scores(fpl=30.0, nlm=29, wiener=31)}, 0, validation=validation)


def write_cell(path, **psnr):
    rows = [
        {"method": name, "image_id": f"v{i}", "patient": "q", "psnr": value, "psnr_uint8": 30, "ssim": value / 100}
        for name, values in psnr.items()
        for i, value in enumerate(values)
    ]
    write_csv(path, rows)


def test_the_rival_is_the_best_on_validation_images_and_is_judged_on_test_images():
    validation = {"gaussian": {"psnr": {"fpl": 40.0, "nlm": 33.0, "wiener": 32.0}}}
    [rival] = rivals(table(validation), "psnr")
    assert (rival.method, rival.gap, rival.chosen_on) == ("nlm", 1, "validation")
    [on_test] = rivals(table(), "psnr")
    assert (on_test.method, on_test.gap, on_test.chosen_on) == ("wiener", -1, "test")


def test_each_metric_has_its_own_rival_or_that_of_psnr():
    validation = {"gaussian": {"psnr": {"nlm": 33.0, "wiener": 32.0}, "ssim": {"nlm": 0.3, "wiener": 0.4}}}
    found = table(validation)
    assert [rivals(found, metric)[0].method for metric in ("psnr", "ssim")] == ["nlm", "wiener"]
    del validation["gaussian"]["ssim"]
    [rival] = rivals(table(validation), "ssim")
    assert (rival.method, rival.chosen_by) == ("nlm", "psnr")
    assert "by PSNR where the score is not taken there" in choice_note([table(validation)], ["psnr", "ssim"])


def test_the_note_says_where_the_rival_was_chosen():
    assert "on the test images themselves" in choice_note([table()], ["psnr"])
    assert "this favours the rival" in choice_note([table()], ["psnr"])
    validated = choice_note([table({"gaussian": {"psnr": {"nlm": 33.0}}})], ["psnr"])
    assert validated.startswith("The rival of a row is the other method with the best score on validation images.")
    assert "Without scores of validation images, and so never a rival: Wiener Filt." in validated


def test_validation_scores_are_read_by_column(tmp_path):
    write_cell(tmp_path / "scores" / "lidc" / "gaussian.csv", fpl=[30, 31], **{"fpl-2": [32, 33]}, nlm=[20, 21])
    rows = [lesion_row(name, "a", "v0", "q", 0.5, kind) for kind in (0, 1) for name in ("fpl", "fpl-2", "nlm")]
    write_lesion_scores(tmp_path / "lesion_scores" / "lidc" / "gaussian.csv", rows)
    found = read_validation(tmp_path, "lidc", ["gaussian", "poisson"])
    assert list(found) == ["gaussian"]
    assert found["gaussian"]["psnr"] == {"fpl": 31.5, "nlm": 20.5}
    assert found["gaussian"]["recovery_error"] == found["gaussian"]["inserted_recovery_error"] == {"fpl": 0.5, "nlm": 0.5}
    assert read_validation(None, "lidc", ["gaussian"]) == {}
    with pytest.raises(InputError, match=r"none, the folder with the scores of validation images, does not exist"):
        read_validation(tmp_path / "none", "lidc", [])


def test_gaussian_and_thermal_noise_are_one_row_that_is_won_if_both_are():
    assert row_groups(["gaussian", "poisson", "thermal"]) == [("gaussian", "thermal"), ("poisson",)]
    won = {"fpl": 30.0, "noisy": 20.0}
    lost = {"fpl": 30.0, "noisy": 31.0}
    both = table(gaussian=scores(**won), thermal=scores(**won), poisson=scores(**lost))
    one = table(gaussian=scores(**won), thermal=scores(**lost), poisson=scores(**won))
    assert [count_wins(found, "psnr").ahead for found in (both, one)] == [1, 1]
    counts = count_wins(one, "psnr")
    assert (counts.rows, counts.best, counts.below_noisy, counts.better) == (2, 1, 1, None)
    text = wins_sentence([both, one])
    assert text.startswith("PSNR: FPL is ahead of its rival in 2 of 4 rows. Gaussian Noise and Thermal Noise are the same")
    assert "same model" not in wins_sentence([table(poisson=scores(**won))])

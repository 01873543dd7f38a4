"""Networks that were trained with several seeds are one column of tables, figures and costs."""

import numpy as np
import pytest

from fplbench.errors import InputError
from fplbench.reporting.lesion_scores import read_lesion_scores
from fplbench.reporting.repeats import column_of, merged, read_dataset, repeats_of
from fplbench.reporting.scores import NoiseScores, read_scores
from fplbench.reporting.tables import build_table
from fplbench.reporting.writing import write_table
from tests.helpers.scores import read_rows
from tests.reporting.conftest import lesion_row, write_lesion_scores


def scores(**values):
    images = tuple(f"i{i}" for i in range(len(next(iter(values.values())))))
    named = {name.replace("__", "-"): np.array(numbers, float) for name, numbers in values.items()}
    return NoiseScores(images, images, {"psnr": named})


def test_a_repeat_belongs_to_the_column_whose_name_it_has_before_the_hyphen():
    assert [column_of(name) for name in ("fpl", "fpl-2", "fpl-12", "red_cnn_same_seconds-3")] == [
        "fpl", "fpl", "fpl", "red_cnn_same_seconds"
    ]  # fmt: skip
    assert repeats_of(["fpl-10", "nlm", "fpl", "fpl-2"]) == {"fpl": ["fpl", "fpl-2", "fpl-10"], "nlm": ["nlm"]}


def test_the_scores_of_a_column_are_means_over_its_trainings():
    found = merged(scores(fpl=[30, 32], fpl__2=[31, 35], nlm=[28, 29]))
    np.testing.assert_array_equal(found.values["psnr"]["fpl"], [30.5, 33.5])
    np.testing.assert_array_equal(found.trained("psnr", "fpl"), [[30, 32], [31, 35]])
    np.testing.assert_array_equal(found.trained("psnr", "nlm"), [[28, 29]])
    assert list(found.values["psnr"]) == ["fpl", "nlm"]


def test_repeats_without_a_first_and_unequal_numbers_of_them_are_refused():
    with pytest.raises(InputError, match=r"scores of 'fpl-2', a repeat, and none of 'fpl'"):
        merged(scores(fpl__2=[30], nlm=[28]))
    with pytest.raises(InputError, match=r"'fpl' has scores of 2 trainings and 'red_cnn' of 3: train both equally often"):
        merged(scores(fpl=[1], fpl__2=[1], red_cnn=[1], red_cnn__2=[1], red_cnn__3=[1]))


def test_the_table_has_one_column_with_the_mean_and_the_range_of_three_trainings(write_scores, tmp_path):
    cells = {("lidc", "gaussian", name): [value, value + 1] for name, value in (("fpl", 30), ("fpl-2", 31), ("fpl-3", 35))}
    path = write_scores({**cells, ("lidc", "gaussian", "noisy"): [20, 21]}, patients="aa")
    assert "fpl-3" in read_scores(path)["lidc"]["gaussian"].values["psnr"]  # the ablation needs them apart
    table = build_table("lidc", read_dataset(path, "lidc"), 0)
    assert (table.methods, table.seeds) == (("noisy", "fpl"), {"fpl": 3})
    write_table(table, tmp_path)
    row = next(row for row in read_rows(tmp_path / "lidc.csv") if row["method"] == "fpl" and row["metric"] == "psnr")
    assert (float(row["mean"]), row["seeds"], row["least"], row["most"], row["low"]) == (32.5, "3", "30.5", "35.5", "")
    markdown = (tmp_path / "lidc.md").read_text()
    assert "**32.50** [30.50 – 35.50]" in markdown
    assert "Each network was trained with 3 seeds; the means are over all of its trainings." in markdown
    assert "In square brackets, for several trainings: the lowest and the highest mean of the 3 trainings." in markdown
    assert "[30.50 – 35.50]" in (tmp_path / "lidc.html").read_text()
    assert "the highest and the lowest mean of its trainings" in (tmp_path / "lidc_intervals.tex").read_text()


def test_five_seeds_on_one_patient_have_an_interval_that_says_what_it_is_over(write_scores, tmp_path):
    names = ["fpl", *(f"fpl-{number}" for number in range(2, 6))]
    cells = {("lidc", "gaussian", name): [30 + i, 31 + i] for i, name in enumerate(names)}
    path = write_scores({**cells, ("lidc", "gaussian", "noisy"): [20, 21]}, patients="aa")
    write_table(build_table("lidc", read_dataset(path, "lidc"), 0), tmp_path)
    # Student's interval of the means 30.5 to 34.5: 32.5 ± 2.776 * sqrt(2.5 / 5).
    assert "32.50** [30.54 – 34.46]" in (tmp_path / "lidc.md").read_text()
    page = (tmp_path / "lidc.html").read_text()
    assert "over 5 training seeds on the same images; they say nothing about other patients" in page
    assert "No intervals over patients and no verdicts: all images are of one patient" in page
    rows = {row["method"]: row for row in read_rows(tmp_path / "lidc.csv") if row["metric"] == "psnr"}
    assert (rows["fpl"]["over"], rows["noisy"]["over"], rows["noisy"]["lead"]) == ("seeds", "", "")


def test_one_seed_is_said_to_be_one(write_scores):
    path = write_scores({("lidc", "gaussian", name): [30, 31] for name in ("fpl", "noisy")})
    table = build_table("lidc", read_dataset(path, "lidc"), 0)
    from fplbench.reporting.notes import caption

    assert "Each network was trained once, with one seed." in caption(table, ["psnr"])
    filters = write_scores({("lidc", "gaussian", name): [30, 31] for name in ("nlm", "noisy")})
    assert "seed" not in caption(build_table("lidc", read_dataset(filters, "lidc"), 0), ["psnr"])


def test_lesion_scores_are_means_over_trainings(tmp_path):
    rows = [lesion_row(name, "a", "i0", "p0", recovery) for name, recovery in (("fpl", 0.5), ("fpl-2", 1.0), ("nlm", 0.25))]
    write_lesion_scores(tmp_path / "gaussian.csv", rows)
    block = read_lesion_scores(tmp_path, ["gaussian"])["gaussian"].blocks["contrast_recovery"]
    assert block.values["contrast_recovery"]["fpl"].tolist() == [0.75]
    assert block.trained("contrast_recovery", "fpl").tolist() == [[0.5], [1.0]]

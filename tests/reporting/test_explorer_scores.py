"""The scores in the explorer pages, compared with the tables that they come from."""

import pytest

from fplbench.config import read_config
from fplbench.errors import InputError
from fplbench.reporting.explorer.page import explorer_data
from tests.helpers.explorer import CONFIG, METHODS, TABLE, arguments, data_of, places, with_column, write_run, write_scores
from tests.helpers.scores import write_config


@pytest.fixture
def folder(tmp_path):
    return write_run(tmp_path)


def test_means_and_values_are_those_of_the_scores(folder):
    scores = data_of(folder)["scores"]
    assert scores["ids"] == ["i0", "i1", "i2", "i3"]
    assert scores["metrics"][:2] == [
        {"name": "psnr", "label": "PSNR", "unit": "dB", "digits": 2, "direction": "higher"},
        {"name": "ssim", "label": "SSIM", "unit": "", "digits": 2, "direction": "higher"},
    ]
    assert len(scores["metrics"]) == 2  # nothing else was scored
    # 20.123456 + 3 (for fpl) + 8 (for gaussian) + 0, 3, 6 and 9.
    assert scores["values"]["gaussian"]["fpl"]["psnr"] == [31.1235, 34.1235, 37.1235, 40.1235]
    assert scores["means"]["gaussian"]["fpl"]["psnr"] == pytest.approx(35.623456, abs=1e-12)
    assert scores["means"]["poisson"]["median_filter"]["ssim"] == pytest.approx(0.44623456, abs=1e-12)


def test_an_image_that_a_method_has_no_score_of_is_in_no_mean_and_null_in_the_values(folder):
    with_column(folder, "body_psnr", lambda noise, method, image: "" if (method, image) == ("fpl", "i0") else 20 + int(image[1]))
    scores = data_of(folder)["scores"]
    assert [metric["name"] for metric in scores["metrics"]] == ["psnr", "ssim", "body_psnr"]
    assert scores["values"]["gaussian"]["fpl"]["body_psnr"] == [None, 21, 22, 23]
    assert scores["means"]["gaussian"]["fpl"]["body_psnr"] == scores["means"]["gaussian"]["noisy"]["body_psnr"] == 22


def test_a_metric_of_one_noise_is_null_elsewhere(folder):
    with_column(folder, "feature_error", lambda noise, method, image: 0.25 if noise == "gaussian" else "")
    scores = data_of(folder)["scores"]
    assert scores["means"]["gaussian"]["fpl"]["feature_error"] == 0.25
    assert scores["means"]["poisson"]["fpl"]["feature_error"] is None
    assert "feature_error" not in scores["values"]["poisson"]["fpl"]


def test_means_of_lesions_come_from_the_table_and_those_of_images_do_not(folder):
    (folder / "lidc.csv").write_text(TABLE)
    scores = data_of(folder, means=folder / "lidc.csv")["scores"]
    assert [metric["name"] for metric in scores["metrics"]] == ["psnr", "ssim", "lesion_psnr"]  # those of the config's tables
    means = scores["means"]
    assert (means["gaussian"]["fpl"]["lesion_psnr"], means["gaussian"]["fpl"]["psnr"]) == (24.5, pytest.approx(35.623456))
    assert means["gaussian"]["noisy"]["lesion_psnr"] is means["poisson"]["fpl"]["lesion_psnr"] is None
    assert scores["values"]["gaussian"]["fpl"].keys() == {"psnr", "ssim"}
    (folder / "lidc.csv").write_text(TABLE.replace("24.5", "good"))
    with pytest.raises(InputError, match=r"lidc.csv: the mean lesion_psnr of 'fpl' on 'gaussian' is 'good'"):
        data_of(folder, means=folder / "lidc.csv")


def test_the_table_of_another_data_set_is_refused(folder):
    (folder / "rsna.csv").write_text(TABLE.replace("lidc,", "rsna,"))
    with pytest.raises(InputError, match=r"rsna\.csv has no means of the data set 'lidc': name its table"):
        data_of(folder, means=folder / "rsna.csv")


def test_scores_of_other_images_are_refused(folder):
    write_scores(folder, patients=("p0", "p0", "p1"))
    with pytest.raises(InputError, match=r"scores of other images than the test stack on 'gaussian'"):
        data_of(folder)


def test_missing_scores_are_refused_unless_the_tables_may_be_partial(folder):
    write_scores(folder, ("noisy", "fpl"))
    with pytest.raises(InputError, match=r"no scores of 'median_filter' on 'gaussian': .*tables.partial: true"):
        data_of(folder)
    write_scores(folder, noises=["poisson"])
    with pytest.raises(InputError, match=r"no scores of 'noisy' on 'gaussian'"):
        data_of(folder)
    write_config(folder / "config.json", **CONFIG, tables={"partial": True})
    scores = data_of(folder)["scores"]
    assert scores["means"]["gaussian"] == {name: {"psnr": None, "ssim": None} for name in METHODS}
    assert scores["values"]["gaussian"] == {name: {} for name in METHODS}


def test_a_truncated_table_and_an_unknown_data_set_are_refused(folder):
    config = read_config(folder / "config.json")
    with pytest.raises(InputError, match=r"no scores of the data set 'lits'"):
        explorer_data(*arguments(folder)[:2], "lits", **places(folder, config=False), config=config)
    text = (folder / "scores.csv").read_text()
    (folder / "scores.csv").write_text(text[: len(text) // 2])
    with pytest.raises(InputError, match=r"scores\.csv"):
        data_of(folder)

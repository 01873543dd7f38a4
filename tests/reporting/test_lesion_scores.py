import pytest

from fplbench.errors import InputError
from fplbench.reporting.lesion_scores import read_lesion_scores
from tests.reporting.conftest import lesion_row, write_lesion_scores


def test_a_value_is_the_mean_over_images_then_lesions_then_patients(tmp_path):
    # Lesion a1 in two images (recovery 0.2 and 0.4), a2 in one (0.9); lesion b1 in one (0.5).
    marks = [("a1", "i0", "a", 0.2), ("a1", "i1", "a", 0.4), ("a2", "i1", "a", 0.9), ("b1", "i2", "b", 0.5)]
    rows = [lesion_row("fpl", lesion, image, patient, recovery) for lesion, image, patient, recovery in marks]
    write_lesion_scores(tmp_path / "gaussian.csv", rows)
    scores = read_lesion_scores(tmp_path, ["gaussian", "poisson"])
    assert list(scores) == ["gaussian"]
    found = scores["gaussian"]
    assert (found.unit, found.lesions, found.images, found.patients, found.unscored) == ("patient", 3, 3, 2, 0)
    block = found.blocks["contrast_recovery"]
    assert block.image_ids == block.patients == ("a", "b")
    assert block.values["contrast_recovery"]["fpl"] == pytest.approx([(0.3 + 0.9) / 2, 0.5])


def test_the_lesions_of_one_patient_are_the_units(tmp_path):
    marks = [("a1", "i0", 0.2), ("a1", "i1", 0.4), ("a2", "i1", 0.9)]
    rows = [lesion_row("fpl", lesion, image, "a", recovery) for lesion, image, recovery in marks]
    write_lesion_scores(tmp_path / "gaussian.csv", rows)
    found = read_lesion_scores(tmp_path, ["gaussian"])["gaussian"]
    assert (found.unit, found.patients) == ("lesion", 1)
    assert found.blocks["contrast_recovery"].patients == ("a1", "a2")
    assert found.blocks["contrast_recovery"].values["contrast_recovery"]["fpl"] == pytest.approx([0.3, 0.9])


def test_lesions_of_the_same_name_belong_to_their_patients(tmp_path):
    rows = [lesion_row("fpl", "1", image, patient, recovery) for image, patient, recovery in (("i", "a", 0.2), ("j", "b", 0.6))]
    write_lesion_scores(tmp_path / "gaussian.csv", rows)
    found = read_lesion_scores(tmp_path, ["gaussian"])["gaussian"]
    assert found.lesions == 2
    assert found.blocks["contrast_recovery"].values["contrast_recovery"]["fpl"] == pytest.approx([0.2, 0.6])


def test_a_lesion_that_one_method_has_no_value_for_is_left_out_of_all(tmp_path):
    rows = [lesion_row(method, lesion, "i", "a", 0.5) for method in ("fpl", "nlm") for lesion in ("a1", "a2")]
    rows[0] |= {"cnr": ""}
    write_lesion_scores(tmp_path / "gaussian.csv", rows)
    blocks = read_lesion_scores(tmp_path, ["gaussian"])["gaussian"].blocks
    assert {method: len(values) for method, values in blocks["cnr"].values["cnr"].items()} == {"fpl": 1, "nlm": 1}
    assert blocks["cnr"].patients == ("a2",)
    assert blocks["lesion_psnr"].patients == ("a1", "a2")


def test_lesions_without_a_scored_contrast_are_counted_with_the_reason(tmp_path):
    blank = {"contrast_recovery": "", "recovery_error": "", "cnr": ""}
    small = lesion_row("fpl", "a1", "i0", "a", 1) | blank | {"psnr": "", "ssim": "", "rmse": "", "bias": "", "pixels": 3}
    faint = lesion_row("fpl", "a2", "i0", "a", 1) | blank
    write_lesion_scores(tmp_path / "gaussian.csv", [small, faint])
    found = read_lesion_scores(tmp_path, ["gaussian"])["gaussian"]
    assert (found.lesions, found.unscored, found.too_small) == (2, 2, 1)
    assert "contrast_recovery" not in found.blocks
    assert found.blocks["lesion_psnr"].patients == ("a2",)


def test_real_and_inserted_lesions_are_kept_apart(tmp_path):
    rows = [lesion_row("fpl", "a1", "i0", "a", 0.2), lesion_row("fpl", "x1", "i1", "a", 0.8, inserted=1)]
    write_lesion_scores(tmp_path / "gaussian.csv", rows)
    for inserted, value in ((False, 0.2), (True, 0.8)):
        found = read_lesion_scores(tmp_path, ["gaussian"], inserted)["gaussian"]
        assert found.blocks["contrast_recovery"].values["contrast_recovery"]["fpl"].tolist() == [value]


def test_an_unchanged_lesion_counts_as_a_hundred_decibels(tmp_path):
    write_lesion_scores(tmp_path / "gaussian.csv", [lesion_row("fpl", "a1", "i0", "a", 1) | {"psnr": "inf"}])
    found = read_lesion_scores(tmp_path, ["gaussian"])["gaussian"]
    assert found.blocks["lesion_psnr"].values["lesion_psnr"]["fpl"].tolist() == [100]


def test_a_table_without_lesions_is_none(tmp_path):
    write_lesion_scores(tmp_path / "gaussian.csv", [])
    assert read_lesion_scores(tmp_path, ["gaussian"]) == {}


def test_methods_scored_on_other_lesions_and_words_for_numbers_are_named(tmp_path):
    rows = [lesion_row("fpl", "a1", "i0", "a", 1), lesion_row("nlm", "a2", "i0", "a", 1)]
    write_lesion_scores(tmp_path / "gaussian.csv", rows)
    with pytest.raises(InputError, match=r"gaussian.csv: 'nlm' and 'fpl' were scored on different lesions"):
        read_lesion_scores(tmp_path, ["gaussian"])
    write_lesion_scores(tmp_path / "gaussian.csv", [lesion_row("fpl", "a1", "i0", "a", "high")])
    with pytest.raises(InputError, match=r"contrast_recovery of 'fpl', lesion 'a1' in image 'i0', is 'high'"):
        read_lesion_scores(tmp_path, ["gaussian"])

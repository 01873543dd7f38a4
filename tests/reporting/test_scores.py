import csv

import numpy as np
import pytest

from fplbench.errors import InputError
from fplbench.reporting.scores import collate, read_dataset

HEAD = "image_id,patient,psnr,psnr_uint8,ssim\n"


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "scores"
    for dataset in ("lidc", "lits"):
        for method, value in (("fpl", "31.123456789012345"), ("median_filter", "inf")):
            file = root / dataset / "gaussian" / f"{method}.csv"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{HEAD}a,1,{value},40.5,0.75\nb,2,20,40.5,0.5\n")
    return root


def rows(path):
    with open(path, newline="") as stream:
        return list(csv.DictReader(stream))


def test_collate_takes_names_from_the_path_and_copies_numbers_digit_by_digit(folder, tmp_path):
    collate(tmp_path / "long.csv", sorted(folder.glob("*/*/*.csv")))
    table = rows(tmp_path / "long.csv")
    assert list(table[0]) == ["dataset", "noise", "method", "image_id", "patient", "psnr", "psnr_uint8", "ssim"]
    assert list(table[0].values()) == ["lidc", "gaussian", "fpl", "a", "1", "31.123456789012345", "40.5", "0.75"]
    assert [row["dataset"] for row in table] == ["lidc"] * 4 + ["lits"] * 4


def test_collate_of_a_folder_is_that_of_its_files(folder, tmp_path):
    collate(tmp_path / "files.csv", sorted(folder.glob("*/*/*.csv")))
    collate(tmp_path / "folder.csv", [folder])
    assert (tmp_path / "files.csv").read_bytes() == (tmp_path / "folder.csv").read_bytes()


def test_collate_joins_feature_errors_by_method_and_image(folder, tmp_path):
    (tmp_path / "features" / "lidc").mkdir(parents=True)
    file = tmp_path / "features" / "lidc" / "gaussian.csv"
    file.write_text("method,image_id,patient,feature_error\nmedian_filter,a,1,0.5\nfpl,b,2,0.25\nfpl,a,1,0.125\n")
    collate(tmp_path / "long.csv", [folder / "lidc" / "gaussian" / "fpl.csv"], [tmp_path / "features"])
    assert [row["feature_error"] for row in rows(tmp_path / "long.csv")] == ["0.125", "0.25"]
    scores = read_dataset(tmp_path / "long.csv", "lidc")["gaussian"]
    assert scores.values["feature_error"]["fpl"].tolist() == [0.125, 0.25]


def test_collate_names_a_file_without_scores(folder, tmp_path):
    (folder / "lidc" / "gaussian" / "fpl.csv").write_text("image_id,patient,ssim\na,1,0.5\n")
    with pytest.raises(InputError, match=r"lidc/gaussian/fpl.csv has no column 'psnr'"):
        collate(tmp_path / "long.csv", [folder])
    with pytest.raises(InputError, match="no score files"):
        collate(tmp_path / "long.csv", [tmp_path])
    assert not (tmp_path / "long.csv").exists()


def test_collate_refuses_two_files_of_one_method(folder, tmp_path):
    copy = tmp_path / "old" / "lidc" / "gaussian" / "fpl.csv"
    copy.parent.mkdir(parents=True)
    copy.write_text(HEAD + "a,1,1,1,1\n")
    with pytest.raises(InputError, match="both scores of lidc/gaussian/fpl"):
        collate(tmp_path / "long.csv", [folder, tmp_path / "old"])


def test_equal_images_count_as_a_hundred_decibels(folder, tmp_path):
    collate(tmp_path / "long.csv", [folder])
    scores = read_dataset(tmp_path / "long.csv", "lidc")["gaussian"]
    assert scores.values["psnr"]["median_filter"].tolist() == [100, 20]
    assert scores.patients == ("1", "2")
    np.testing.assert_equal(scores.values["psnr"]["fpl"], [31.123456789012345, 20])


def test_methods_scored_on_other_images_are_refused(write_scores):
    path = write_scores({("lidc", "gaussian", "fpl"): [30, 31], ("lidc", "gaussian", "wiener"): [30]})
    with pytest.raises(InputError, match=r"'wiener' and 'fpl' were scored on different images of noise 'gaussian'"):
        read_dataset(path, "lidc")


def test_a_misspelt_data_set_gets_the_nearest(write_scores):
    path = write_scores({("lidc", "gaussian", "fpl"): [30], ("lits", "gaussian", "fpl"): [30]})
    with pytest.raises(InputError, match="did you mean 'lits'"):
        read_dataset(path, "litss")


def test_a_value_that_is_no_number_is_named(write_scores):
    path = write_scores({("lidc", "gaussian", "fpl"): [30, "nan"]})
    with pytest.raises(InputError, match=r"psnr of 'fpl' on 'gaussian', image 'i1', is 'nan', which is no number"):
        read_dataset(path, "lidc")


def test_feature_errors_may_be_missing_for_a_method_but_not_for_an_image(write_scores):
    path = write_scores({("lidc", "gaussian", "fpl"): [30, 31], ("lidc", "gaussian", "nlm"): [30, 31]})
    lines = path.read_text().splitlines()
    endings = (",feature_error", ",0.5", ",0.25", ",", ",")
    path.write_text("\n".join(line + ending for line, ending in zip(lines, endings, strict=True)))
    scores = read_dataset(path, "lidc")["gaussian"]
    assert set(scores.values["feature_error"]) == {"fpl"}
    assert set(scores.values["psnr"]) == {"fpl", "nlm"}
    path.write_text(path.read_text().replace(",0.25", ","))
    with pytest.raises(InputError, match=r"feature_error of 'fpl' on 'gaussian', image 'i1', is '', which is no number"):
        read_dataset(path, "lidc")


def test_a_cut_line_and_a_file_that_is_no_table_are_named(write_scores, tmp_path):
    path = write_scores({("lidc", "gaussian", "fpl"): [30, 31]})
    path.write_text(path.read_text().rsplit(",", 2)[0])
    with pytest.raises(InputError, match=r"scores.csv, line 3, has not the 8 values of the head"):
        read_dataset(path, "lidc")
    np.save(tmp_path / "stack.npy", np.arange(300))
    with pytest.raises(InputError, match=r"stack.npy is no .csv table"):
        read_dataset(tmp_path / "stack.npy", "lidc")

import tracemalloc

import pytest

from fplbench.errors import InputError
from fplbench.scoring.collation import collate
from tests.helpers.scores import COLUMNS, read_rows, run

HEAD = "method,image_id,patient,psnr,psnr_uint8,ssim\n"
CELL = f"{HEAD}fpl,a,1,31.123456789012345,40.5,0.75\nfpl,b,2,20,40.5,0.5\nmedian_filter,a,1,inf,40.5,0.75\n"
FEATURES = "method,image_id,patient,feature_error\nmedian_filter,a,1,0.5\nfpl,b,2,0.25\nfpl,a,1,0.125\n"


@pytest.fixture
def folder(tmp_path):
    """Scores of two data sets, and feature scores of one of them."""
    for dataset in ("lidc", "lits"):
        for name, text in (("scores", CELL), ("features", FEATURES)):
            file = tmp_path / name / dataset / "gaussian.csv"
            file.parent.mkdir(parents=True)
            file.write_text(text)
    return tmp_path


def cells(folder, name="scores"):
    return sorted((folder / name).glob("*/*.csv"))


def test_data_set_and_noise_come_from_the_path_and_numbers_are_copied_digit_by_digit(folder):
    collate(folder / "long.csv", cells(folder))
    rows = read_rows(folder / "long.csv")
    assert tuple(rows[0]) == COLUMNS
    assert list(rows[0].values()) == ["lidc", "gaussian", "fpl", "a", "1", "31.123456789012345", "40.5", "0.75"]
    assert [row["dataset"] for row in rows] == ["lidc"] * 3 + ["lits"] * 3
    assert rows[2]["psnr"] == "inf"


def test_long_tables_of_data_sets_join_to_what_their_cells_do(folder):
    collate(folder / "all.csv", cells(folder), cells(folder, "features"))
    for dataset in ("lidc", "lits"):
        features = [folder / "features" / dataset / "gaussian.csv"]
        collate(folder / f"{dataset}.csv", [folder / "scores" / dataset / "gaussian.csv"], features)
    collate(folder / "joined.csv", [folder / "lidc.csv", folder / "lits.csv"])
    assert (folder / "joined.csv").read_bytes() == (folder / "all.csv").read_bytes()


def test_feature_errors_are_joined_by_method_and_image(folder):
    collate(folder / "long.csv", cells(folder), [folder / "features" / "lidc" / "gaussian.csv"])
    rows = read_rows(folder / "long.csv")
    assert [row["feature_error"] for row in rows] == ["0.125", "0.25", "0.5", "", "", ""]


def test_every_metric_that_any_image_has_a_score_of_gets_a_column(folder):
    more = HEAD.strip() + ",vif,gmsd,body_psnr,seconds\n"
    (folder / "scores" / "lits" / "gaussian.csv").write_text(
        f"{more}fpl,a,1,30,40,0.5,,0.125,,7\nfpl,b,2,30,40,0.5,,0.25,28.5,7\n"
    )
    collate(folder / "long.csv", cells(folder), cells(folder, "features"))
    rows = read_rows(folder / "long.csv")
    assert tuple(rows[0]) == (*COLUMNS, "body_psnr", "gmsd", "feature_error")
    assert [(row["body_psnr"], row["gmsd"]) for row in rows[2:]] == [("", ""), ("", "0.125"), ("28.5", "0.25")]
    for dataset in ("lidc", "lits"):  # joining in two steps comes to the same
        collate(folder / f"{dataset}.csv", [folder / "scores" / dataset / "gaussian.csv"], cells(folder, "features"))
    collate(folder / "joined.csv", [folder / "lidc.csv", folder / "lits.csv"])
    assert (folder / "joined.csv").read_bytes() == (folder / "long.csv").read_bytes()


def test_a_file_without_a_column_is_named(folder):
    (folder / "scores" / "lidc" / "gaussian.csv").write_text("method,image_id,patient,ssim\nfpl,a,1,0.5\n")
    with pytest.raises(InputError, match=r"lidc/gaussian.csv has no column 'psnr'"):
        collate(folder / "long.csv", cells(folder))
    (folder / "features" / "lits" / "gaussian.csv").write_text("image_id,feature_error\na,0.5\n")
    with pytest.raises(InputError, match=r"lits/gaussian.csv has no column 'method'"):
        collate(folder / "long.csv", cells(folder), cells(folder, "features"))
    assert not (folder / "long.csv").exists()


def test_without_scores_nothing_is_written(folder):
    (folder / "scores" / "lidc" / "gaussian.csv").write_text(HEAD)
    for paths in ([], [folder / "scores" / "lidc" / "gaussian.csv"]):
        with pytest.raises(InputError, match=r"no scores to collate into .*long.csv"):
            collate(folder / "long.csv", paths)
    assert not (folder / "long.csv").exists()


def test_a_method_that_two_files_score_on_the_same_cell_is_refused(folder):
    collate(folder / "long.csv", cells(folder))
    copy = folder / "old" / "lits" / "gaussian.csv"
    copy.parent.mkdir(parents=True)
    copy.write_text(f"{HEAD}fpl,c,3,1,1,1\n")
    for paths in ([*cells(folder), copy], [folder / "long.csv", copy]):
        with pytest.raises(InputError, match=r"old/lits/gaussian.csv both have scores of lits/gaussian/fpl; give only one"):
            collate(folder / "again.csv", paths)
    copy.write_text(f"{HEAD}other,a,1,1,1,1\n")
    collate(folder / "again.csv", [*cells(folder), copy])
    assert read_rows(folder / "again.csv")[-1]["method"] == "other"


def test_the_command_takes_feature_scores_by_option(folder):
    features = [f"--feature-scores={path}" for path in cells(folder, "features")]
    run("collate", folder / "long.csv", *cells(folder), *features)
    assert [row["feature_error"] for row in read_rows(folder / "long.csv")] == ["0.125", "0.25", "0.5"] * 2


def test_ten_thousand_images_are_joined_row_by_row(tmp_path):
    """The whole file would need about ten megabytes as rows."""
    file = tmp_path / "lidc" / "gaussian.csv"
    file.parent.mkdir()
    file.write_text(HEAD + "".join(f"fpl,i{number},p{number},30.5,31.5,0.75\n" for number in range(10_000)))
    tracemalloc.start()
    collate(tmp_path / "long.csv", [file])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len((tmp_path / "long.csv").read_text().splitlines()) == 10_001
    assert peak < 1_000_000

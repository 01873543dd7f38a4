import tracemalloc

import numpy as np
import pytest

from fplbench.errors import InputError
from fplbench.reporting.repeats import read_dataset
from fplbench.reporting.scores import read_scores


def test_equal_images_count_as_a_hundred_decibels(write_scores):
    path = write_scores({("lidc", "gaussian", "fpl"): ["31.123456789012345", 20], ("lidc", "gaussian", "nlm"): ["inf", 20]})
    scores = read_dataset(path, "lidc")["gaussian"]
    assert scores.values["psnr"]["nlm"].tolist() == [100, 20]
    assert scores.values["psnr"]["fpl"].tolist() == [31.123456789012345, 20]
    assert (scores.image_ids, scores.patients) == (("i0", "i1"), ("p0", "p1"))


def test_methods_scored_on_other_images_are_refused(write_scores):
    path = write_scores({("lidc", "gaussian", "fpl"): [30, 31], ("lidc", "gaussian", "wiener"): [30]})
    with pytest.raises(InputError, match=r"'wiener' and 'fpl' were scored on different images of noise 'gaussian'"):
        read_dataset(path, "lidc")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("nlm,i1,", "nlm,i7,", "image 2 is 'i7' of patient 'p1' and 'i1' of patient 'p1'."),
        ("nlm,i1,p1,", "nlm,i1,p5,", "image 2 is 'i1' of patient 'p5' and 'i1' of patient 'p1'."),
        ("lidc,gaussian,nlm,i2,p2,32,30,0.32\n", "", "image 3 is none and 'i2' of patient 'p2'."),
    ],
)
def test_the_first_image_that_methods_do_not_share_is_named(write_scores, old, new, words):
    path = write_scores({("lidc", "gaussian", "fpl"): [30, 31, 32], ("lidc", "gaussian", "nlm"): [30, 31, 32]})
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(InputError) as caught:
        read_dataset(path, "lidc")
    assert str(caught.value).endswith(f"'nlm' and 'fpl' were scored on different images of noise 'gaussian': {words}")


def test_a_misspelt_data_set_gets_the_nearest(write_scores):
    path = write_scores({("lidc", "gaussian", "fpl"): [30], ("lits", "gaussian", "fpl"): [30]})
    with pytest.raises(InputError, match="did you mean 'lits'"):
        read_dataset(path, "litss")


def test_a_value_that_is_not_a_number_is_named(write_scores):
    path = write_scores({("lidc", "gaussian", "fpl"): [30, "nan"]})
    with pytest.raises(InputError, match=r"psnr of 'fpl' on 'gaussian', image 'i1', is 'nan', which is not a number"):
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
    with pytest.raises(InputError, match=r"feature_error of 'fpl' on 'gaussian', image 'i1', is '', which is not a number"):
        read_dataset(path, "lidc")


def test_a_truncated_line_and_a_file_that_is_not_a_table_are_named(write_scores, tmp_path):
    path = write_scores({("lidc", "gaussian", "fpl"): [30, 31]})
    path.write_text(path.read_text().rsplit(",", 2)[0])
    with pytest.raises(InputError, match=r"scores.csv, line 3: the number of values differs from the 8 columns"):
        read_dataset(path, "lidc")
    np.save(tmp_path / "stack.npy", np.arange(300))
    with pytest.raises(InputError, match=r"stack.npy is not a .csv table"):
        read_dataset(tmp_path / "stack.npy", "lidc")


def test_every_column_that_is_a_metric_is_read_and_may_be_blank_where_it_is_not_defined(write_scores):
    path = write_scores({("lidc", "gaussian", "fpl"): [30, 31], ("lidc", "gaussian", "nlm"): [30, 31]})
    lines = path.read_text().splitlines()
    endings = (",body_psnr,vif,remark", ",inf,,x", ",,,x", ",25,,x", ",26,,x")
    path.write_text("\n".join(line + ending for line, ending in zip(lines, endings, strict=True)))
    values = read_dataset(path, "lidc")["gaussian"].values
    assert set(values) == {"psnr", "psnr_uint8", "ssim", "body_psnr"}
    np.testing.assert_array_equal(values["body_psnr"]["fpl"], [100, np.nan])
    path.write_text(path.read_text().replace(",26,", ",high,"))
    with pytest.raises(InputError, match=r"body_psnr of 'nlm' on 'gaussian', image 'i1', is 'high'"):
        read_dataset(path, "lidc")


def test_the_order_of_the_file_is_kept(write_scores):
    cells = {(dataset, noise, "fpl"): [30] for dataset in ("lits", "lidc") for noise in ("rician", "gaussian")}
    scores = read_scores(write_scores(cells))
    assert [(dataset, list(noises)) for dataset, noises in scores.items()] == [
        ("lits", ["rician", "gaussian"]),
        ("lidc", ["rician", "gaussian"]),
    ]


def test_the_rows_of_methods_may_take_turns(write_scores):
    path = write_scores({("lidc", "gaussian", "fpl"): [30, 31], ("lidc", "gaussian", "nlm"): [20, 21]})
    head, *rows = path.read_text().splitlines()
    path.write_text("\n".join([head, rows[0], rows[2], rows[3], rows[1]]))
    scores = read_scores(path)["lidc"]["gaussian"]
    assert scores.image_ids == ("i0", "i1")
    assert [scores.values["psnr"][name].tolist() for name in ("fpl", "nlm")] == [[30, 31], [20, 21]]
    path.write_text("\n".join([head, rows[0], rows[3], rows[2], rows[1]]))
    with pytest.raises(InputError, match="different images"):
        read_scores(path)


@pytest.mark.slow
def test_ten_thousand_images_need_little_more_memory_than_their_scores(write_scores):
    """Three scores of a row are 24 bytes, the number of its image 8 more; as text they would be a kilobyte."""
    path = write_scores({("lidc", "gaussian", name): np.linspace(20, 40, 10_000) for name in ("fpl", "nlm", "noisy")})
    tracemalloc.start()
    scores = read_scores(path)["lidc"]["gaussian"]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(scores.image_ids) == 10_000
    assert peak < 10_000 * (3 * 100 + 500)  # and the names of images and patients

import math

import numpy as np
import pytest

from fplbench import scoring
from fplbench.errors import InputError
from fplbench.scoring.body import body_psnr
from fplbench.scoring.cells import score_cell
from fplbench.scoring.matching import open_matching
from fplbench.scoring.pair import Pair, Reference
from fplbench.scoring.registry import DEFAULT
from fplbench.stacks import open_stack, write_stack
from tests.helpers.scores import index_rows, read_rows, run


@pytest.fixture
def folder(tmp_path):
    """A clean stack with its index, and two denoised ones without; the second is the clean one."""
    rng = np.random.default_rng(1)
    clean = rng.integers(0, 256, (3, 24, 20), dtype=np.uint8)
    write_stack(tmp_path / "clean.npy", clean, index_rows(3))
    write_stack(tmp_path / "median.npy", np.clip(clean + rng.normal(0, 30, clean.shape), 0, 255).astype(np.uint8))
    write_stack(tmp_path / "perfect.npy", clean)
    return tmp_path


def score(folder, *methods, rules=(), **options):
    stacks = [folder / f"{method}.npy" for method in methods]
    score_cell(folder / "clean.npy", stacks, folder / "new" / "scores.csv", rules, **options)
    return read_rows(folder / "new" / "scores.csv")


def test_a_cell_has_a_row_for_each_method_and_image_in_full_precision(folder):
    rows = score(folder, "median", "perfect")
    assert list(rows[0]) == ["method", "image_id", "patient", *DEFAULT]
    places = [(row["method"], row["image_id"], row["patient"]) for row in rows]
    expected = [("i0", "p0"), ("i1", "p0"), ("i2", "p1")]
    assert places == [(method, *image) for method in ("median", "perfect") for image in expected]
    stacks = [open_stack(folder / f"{name}.npy") for name in ("clean", "median")]
    for name in scoring.METRICS:
        assert [float(row[name]) for row in rows[:3]] == getattr(scoring, name)(*stacks).tolist()


def test_a_perfect_denoiser_has_perfect_scores(folder):
    for row in score(folder, "perfect"):
        assert row["psnr"] == row["psnr_uint8"] == row["body_psnr"] == "inf"
        assert (float(row["ssim"]), float(row["body_ssim"]), float(row["gradient_error"]), float(row["gmsd"])) == (1, 1, 0, 0)
        assert float(row["haarpsi"]) == pytest.approx(1, abs=1e-9)


def test_the_metrics_that_are_asked_for_come_after_those_that_are_always_there(folder):
    assert list(score(folder, "median", metrics=["gmsd", "body_psnr"])[0]) == [
        *("method", "image_id", "patient"),
        *("psnr", "psnr_uint8", "ssim", "body_psnr", "gmsd"),
    ]
    assert list(score(folder, "median", metrics=[])[0])[3:] == ["psnr", "psnr_uint8", "ssim"]
    with pytest.raises(InputError, match="'gsmd' is not a metric of images: did you mean 'gmsd'"):
        score(folder, "median", metrics=["gsmd"])
    with pytest.raises(InputError, match="'cnr' is not a metric of images"):
        score(folder, "median", metrics=["cnr"])


def test_threads_change_nothing(folder):
    alone = score(folder, "median", "perfect")
    assert score(folder, "median", "perfect", threads=3) == alone
    with pytest.raises(InputError, match="threads is 0"):
        score(folder, "median", threads=0)


def test_an_image_without_a_body_has_blank_scores_of_it(folder):
    clean = open_stack(folder / "clean.npy").copy()
    clean[1] = 0
    write_stack(folder / "clean.npy", clean, index_rows(3))
    rows = score(folder, "median")
    assert [row["body_psnr"] == "" for row in rows] == [row["body_ssim"] == "" for row in rows] == [False, True, False]
    assert rows[1]["gradient_error"] == ""
    assert math.isfinite(float(rows[1]["psnr"]))


def test_the_body_is_found_by_the_window_of_each_image(folder):
    clean, denoised = open_stack(folder / "clean.npy"), open_stack(folder / "median.npy")
    windows = [(-1000, 400), (-160, 240), (0, 4095)]  # the last one is a radiograph of 12 bits
    rows = [row | dict(zip(("window_low", "window_high"), w, strict=True)) for row, w in zip(index_rows(3), windows, strict=True)]
    write_stack(folder / "clean.npy", clean.copy(), rows)
    expected = [body_psnr(Pair(Reference(clean[i], w if w[0] else None), denoised[i])) for i, w in enumerate(windows)]
    assert [float(row["body_psnr"]) for row in score(folder, "median")] == expected
    for wrong in (("x", "400"), ("400", "-1000")):
        rows[2] |= dict(zip(("window_low", "window_high"), wrong, strict=True))
        write_stack(folder / "clean.npy", clean.copy(), rows)
        with pytest.raises(InputError, match=rf"clean.csv: the window of 'i2' is {wrong[0]} to {wrong[1]}; it must be two"):
            score(folder, "median")


def test_a_stack_of_another_shape_is_named_with_the_rule_that_made_it(folder):
    write_stack(folder / "short.npy", open_stack(folder / "clean.npy")[:2])
    with pytest.raises(InputError, match=r"short.npy holds 2 images of 24x20 pixels; .*clean.npy holds 3 images of 24x20"):
        score(folder, "median", "short")
    with pytest.raises(InputError, match=r"same order\. The stack is made by the rule denoise_short\.$"):
        score(folder, "median", "short", rules=["denoise_filters", "denoise_short"])
    np.save(folder / "float.npy", open_stack(folder / "clean.npy") / 255)
    with pytest.raises(InputError, match=r"float.npy holds float64 .* made by the rule apply_all\.$"):
        score(folder, "float", rules=["apply_all"])
    assert not list(folder.glob("**/*scores.csv*"))


def test_two_stacks_of_one_method_are_refused(folder):
    write_stack(folder / "other" / "median.npy", open_stack(folder / "clean.npy").copy())
    with pytest.raises(InputError, match=r"other/median.npy is the second stack of 'median'"):
        score(folder, "median", "other/median")


def test_a_stack_that_lists_other_images_is_refused(folder):
    write_stack(folder / "shuffled.npy", open_stack(folder / "clean.npy"), index_rows(3)[::-1])
    with pytest.raises(InputError, match=r"shuffled.csv does not list the same images .* from image 0 on"):
        score(folder, "shuffled")


@pytest.mark.parametrize(
    ("index", "words"),
    [
        ("patient,slice\np,0\np,1\np,2\n", "'image_id'"),
        ("image_id,slice\na,0\nb,1\nc,2\n", "'patient'"),
        ("image_id,patient\na,p\nb,p\na,p\n", "'a' in rows 0 and 2"),
        ("image_id,patient\na,p\nb,p\n", "has 2 for 3"),
    ],
)
def test_a_wrong_index_of_the_clean_stack_is_named_without_blaming_a_method(folder, index, words):
    (folder / "clean.csv").write_text(index)
    with pytest.raises(InputError, match=rf"clean.csv.*{words}") as error:
        score(folder, "median", rules=["denoise_filters"])
    assert "denoise_median" not in str(error.value)


def test_the_command_scores_all_stacks_into_one_file(folder):
    run("score", folder / "clean.npy", folder / "scores.csv", folder / "median.npy", folder / "perfect.npy")
    assert read_rows(folder / "scores.csv") == score(folder, "median", "perfect")

    run("score", folder / "clean.npy", folder / "few.csv", folder / "median.npy", "--metric=gmsd", "--threads=2")
    assert list(read_rows(folder / "few.csv")[0])[3:] == ["psnr", "psnr_uint8", "ssim", "gmsd"]


def test_a_matching_stack_is_mapped_into_memory(folder):
    clean = open_stack(folder / "clean.npy")
    assert isinstance(open_matching(folder / "perfect.npy", clean, folder / "clean.npy"), np.memmap)

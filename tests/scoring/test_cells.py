import math

import numpy as np
import pytest

from fplbench import scoring
from fplbench.errors import InputError
from fplbench.scoring.cells import score_cell
from fplbench.scoring.matching import open_matching
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


def score(folder, *methods, rules=()):
    score_cell(folder / "clean.npy", [folder / f"{method}.npy" for method in methods], folder / "new" / "scores.csv", rules)
    return read_rows(folder / "new" / "scores.csv")


def test_a_cell_has_a_row_for_each_method_and_image_in_full_precision(folder):
    rows = score(folder, "median", "perfect")
    assert list(rows[0]) == ["method", "image_id", "patient", "psnr", "psnr_uint8", "ssim"]
    places = [(row["method"], row["image_id"], row["patient"]) for row in rows]
    expected = [("i0", "p0"), ("i1", "p0"), ("i2", "p1")]
    assert places == [(method, *image) for method in ("median", "perfect") for image in expected]
    stacks = [open_stack(folder / f"{name}.npy") for name in ("clean", "median")]
    for name in scoring.METRICS:
        assert [float(row[name]) for row in rows[:3]] == getattr(scoring, name)(*stacks).tolist()
    assert [(float(row["psnr"]), float(row["ssim"])) for row in rows[3:]] == [(math.inf, 1)] * 3


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


def test_a_matching_stack_is_mapped_into_memory(folder):
    clean = open_stack(folder / "clean.npy")
    assert isinstance(open_matching(folder / "perfect.npy", clean, folder / "clean.npy"), np.memmap)

"""Validation images are scored beside the test images, into files of their own."""

import numpy as np
import pytest

from fplbench.errors import InputError
from fplbench.lesions.stack import write_lesions
from fplbench.stacks import write_stack
from tests.helpers.scores import index_rows, read_rows, run
from tests.scoring.test_comparison import lesion_row


@pytest.fixture
def folder(tmp_path):
    """Four test images, and two validation images with a lesion; two methods, of which the first adds 10 or 20 levels."""
    rng = np.random.default_rng(1)
    for name, count in (("test", 4), ("validation", 2)):
        clean = rng.integers(40, 200, (count, 24, 20), dtype=np.uint8)
        clean[0, 8:12, 8:12] = 240
        write_stack(tmp_path / "data" / f"{name}.npy", clean, index_rows(count))
        ending = "_validation" if name == "validation" else ""
        write_stack(tmp_path / f"offset{ending}.npy", clean + np.uint8(10 if name == "test" else 5))
        write_stack(tmp_path / f"perfect{ending}.npy", clean)
    lesions = np.zeros((2, 24, 20), np.uint8)
    lesions[0, 8:12, 8:12] = 1
    write_lesions(tmp_path / "data" / "validation.npy", lesions, [lesion_row("i0", 1, "n1", 0, 16)])
    return tmp_path


def score(folder, *options, methods=("offset", "perfect")):
    stacks = [folder / f"{method}.npy" for method in methods]
    run("score", folder / "data" / "test.npy", folder / "scores.csv", *stacks, *options)
    return read_rows(folder / "scores.csv")


def validation(folder, *methods, **more):
    given = {"clean": folder / "data" / "validation.npy", "scores": folder / "new" / "validation.csv", **more}
    stacks = [f"--validation={folder / f'{method}_validation.npy'}" for method in methods]
    return [*stacks, *(f"--validation-{key.replace('_', '-')}={path}" for key, path in given.items())]


def test_validation_images_have_the_scores_that_they_would_have_as_test_images(folder):
    alone = score(folder, "--metric=gmsd")
    both = score(folder, "--metric=gmsd", *validation(folder, "offset", "perfect"))
    assert both == alone
    rows = read_rows(folder / "new" / "validation.csv")
    assert list(rows[0]) == list(both[0])
    assert [(row["method"], row["image_id"]) for row in rows] == [
        ("offset", "i0"), ("offset", "i1"), ("perfect", "i0"), ("perfect", "i1"),
    ]  # fmt: skip
    # An offset of d levels is 20 log10(255 / d) dB away.
    assert [float(row["psnr"]) for row in rows] == pytest.approx([20 * np.log10(255 / 5)] * 2 + [np.inf] * 2)
    assert [float(row["psnr"]) for row in both[:4]] == pytest.approx([20 * np.log10(255 / 10)] * 4)


def test_their_lesions_have_a_file_of_their_own(folder):
    options = validation(folder, "offset", "perfect", lesion_scores=folder / "lesions.csv")
    score(folder, *options, "--threads=2")
    rows = read_rows(folder / "lesions.csv")
    assert [(row["method"], row["lesion_id"], float(row["bias"])) for row in rows] == [("offset", "n1", 5), ("perfect", "n1", 0)]
    assert not (folder / "lesion_scores.csv").exists()


def test_a_method_without_validation_images_is_scored_on_the_test_images_alone(folder):
    """A rule in another language makes none."""
    assert {row["method"] for row in score(folder, *validation(folder, "perfect"))} == {"offset", "perfect"}
    assert {row["method"] for row in read_rows(folder / "new" / "validation.csv")} == {"perfect"}


def test_wrong_validation_stacks_are_named_before_anything_is_written(folder):
    with pytest.raises(InputError, match=r"give --validation-clean, --validation and --validation-scores together"):
        score(folder, f"--validation-clean={folder / 'data' / 'validation.npy'}")
    write_stack(folder / "offset_validation.npy", np.zeros((3, 24, 20), np.uint8))
    with pytest.raises(InputError, match=r"offset_validation.npy holds 3 images .* made by the rule denoise_offset\."):
        score(folder, "--rule=denoise_offset", *validation(folder, "offset"), methods=["offset"])
    with pytest.raises(
        InputError, match=r"perfect.npy is not named \{method\}_validation.npy, as stacks of validation images are"
    ):
        score(folder, *validation(folder), f"--validation={folder / 'perfect.npy'}")
    assert not list(folder.glob("**/scores.csv")) and not (folder / "new").exists()

import math

import numpy as np
import pytest

from fplbench.errors import InputError
from fplbench.lesions.stack import write_lesions
from fplbench.scoring.cells import LESION_KEYS, score_cell
from fplbench.scoring.lesions import LESION_METRICS
from fplbench.stacks import write_stack
from tests.helpers.scores import index_rows, read_rows, run

HU_PER_LEVEL = 1400 / 255


def lesion_row(image, lesion, lesion_id, inserted, pixels):
    fixed = {"patient": "p0", "kind": "nodule", "shape": "mask", "readers": 3, "size_mm": 9.5, "malignancy": ""}
    values = {"image_id": image, "lesion": lesion, "lesion_id": lesion_id, "inserted": inserted, "pixels": pixels}
    return values | fixed


def squares():
    """Clean images of level 50 with lesions of level 150, and their numbers: two in the first image, one in the last."""
    lesions = np.zeros((3, 256, 256), np.uint8)
    lesions[0, 40:50, 40:50] = 1
    lesions[0, 100:106, 100:110] = 2
    lesions[2, 40:50, 60:70] = 1
    return np.where(lesions, 150, 50).astype(np.uint8), lesions


def write(folder, name, lesions, rows):
    index = [row | {"window_low": -1000, "window_high": 400} for row in index_rows(3)]
    clean, _ = squares()
    write_stack(folder / f"{name}.npy", clean, index)
    write_lesions(folder / f"{name}.npy", lesions, rows)


@pytest.fixture
def folder(tmp_path):
    """Real lesions; the same images with one of them inserted; and denoised stacks of two methods."""
    clean, lesions = squares()
    real = [lesion_row("i0", 1, "n1", 0, 100), lesion_row("i0", 2, "n2", 0, 60), lesion_row("i2", 1, "n1", 0, 100)]
    write(tmp_path, "clean", lesions, real)
    planted = [row | {"inserted": 1, "lesion_id": "s7"} if row["lesion"] == 2 else row for row in real]
    write(tmp_path, "planted", lesions, planted)
    half = np.where(lesions, 100, 50).astype(np.uint8)
    for name in ("perfect", "perfect_inserted"):
        write_stack(tmp_path / f"{name}.npy", clean)
    for name in ("half", "half_inserted"):
        write_stack(tmp_path / f"{name}.npy", half)
    return tmp_path


def score(folder, *methods, **options):
    paths = [folder / f"{method}.npy" for method in methods]
    score_cell(folder / "clean.npy", paths, folder / "scores.csv", lesion_scores=folder / "lesions.csv", **options)
    return read_rows(folder / "lesions.csv")


def test_each_method_image_and_lesion_has_a_row(folder):
    rows = score(folder, "half", "perfect", threads=2)
    assert list(rows[0]) == [*LESION_KEYS, *LESION_METRICS]
    keys = ("method", "image_id", "lesion", "lesion_id", "patient", "kind", "shape", "inserted", "pixels")
    assert [tuple(row[key] for key in keys) for row in rows] == [
        (method, image, lesion, name, "p0", "nodule", "mask", "0", pixels)
        for method in ("half", "perfect")
        for image, lesion, name, pixels in (("i0", "1", "n1", "100"), ("i0", "2", "n2", "60"), ("i2", "1", "n1", "100"))
    ]
    assert len(read_rows(folder / "scores.csv")) == 6


def test_a_perfect_denoiser_keeps_all_contrast_and_half_of_it_is_half(folder):
    rows = score(folder, "half", "perfect")
    for row in rows[:3]:
        found = [float(row[name]) for name in ("contrast_recovery", "recovery_error", "bias", "rmse")]
        assert found == pytest.approx([0.5, 0.5, -50 * HU_PER_LEVEL, 50 * HU_PER_LEVEL])
    for row in rows[3:]:
        assert row["psnr"] == "inf"
        assert [float(row[name]) for name in ("contrast_recovery", "recovery_error", "bias", "rmse", "ssim")] == [1, 0, 0, 0, 1]


def test_of_images_with_inserted_lesions_only_these_are_scored(folder):
    inserted = [folder / "perfect_inserted.npy", folder / "half_inserted.npy"]
    rows = score(folder, "half", inserted_clean=folder / "planted.npy", inserted=inserted)
    assert [(row["method"], row["lesion_id"], row["inserted"]) for row in rows[3:]] == [
        ("perfect", "s7", "1"),
        ("half", "s7", "1"),
    ]
    assert [float(row["contrast_recovery"]) for row in rows[3:]] == [1, 0.5]
    assert {row["method"] for row in read_rows(folder / "scores.csv")} == {"half"}


def test_a_lesion_that_is_not_scored_has_blanks(folder):
    lesions = np.zeros((3, 256, 256), np.uint8)
    lesions[0, 40, 40:43] = 1  # three pixels
    lesions[1, 200:220, 200:220] = 1  # where the clean image is flat
    write(folder, "clean", lesions, [lesion_row("i0", 1, "tiny", 0, 3), lesion_row("i1", 1, "faint", 0, 400)])
    tiny, faint = score(folder, "half")
    assert {tiny[name] for name in LESION_METRICS} == {""}
    assert [faint[name] for name in ("contrast_recovery", "recovery_error", "cnr")] == [""] * 3
    assert (faint["psnr"], float(faint["ssim"])) == ("inf", 1)


def test_without_lesions_there_is_a_header_only(folder, caplog):
    for name in ("clean_lesions.npy", "clean_lesions.csv"):
        (folder / name).unlink()
    assert score(folder, "half") == []
    assert "No lesions are scored: " in caplog.text and "clean_lesions.npy does not exist" in caplog.text
    assert (folder / "lesions.csv").read_text() == f"{','.join((*LESION_KEYS, *LESION_METRICS))}\n"
    write(folder, "clean", np.zeros((3, 256, 256), np.uint8), [])
    assert score(folder, "half") == []


def test_wrong_stacks_of_inserted_lesions_are_named(folder):
    planted = folder / "planted.npy"
    with pytest.raises(InputError, match="need the clean stack that has them"):
        score(folder, "half", inserted=[folder / "half_inserted.npy"])
    with pytest.raises(InputError, match=r"half.npy is not named \{method\}_inserted.npy"):
        score(folder, "half", inserted_clean=planted, inserted=[folder / "half.npy"])
    write_stack(folder / "half_inserted.npy", np.zeros((2, 256, 256), np.uint8))
    with pytest.raises(InputError, match=r"half_inserted.npy holds 2 images .* made by the rule denoise_half\."):
        score(folder, "half", rules=["denoise_half"], inserted_clean=planted, inserted=[folder / "half_inserted.npy"])
    (folder / "planted_lesions.npy").unlink()
    with pytest.raises(InputError, match=r"planted_lesions.npy does not exist"):
        score(folder, "half", inserted_clean=planted)


@pytest.mark.parametrize("window", [{}, {"window_low": 0, "window_high": 4095}, {"window_low": 10, "window_high": 240}])
def test_grey_levels_are_the_unit_of_images_without_a_window_in_hu(folder, window):
    """Radiographs of 12 bits, or with a window of their own, are not CT."""
    clean, _ = squares()
    write_stack(folder / "clean.npy", clean, [row | window for row in index_rows(3)])
    assert {float(row["bias"]) for row in score(folder, "half")} == {-50}


def test_the_command_takes_the_stacks_by_options(folder):
    inserted = [folder / "half_inserted.npy"]
    expected = score(folder, "half", inserted_clean=folder / "planted.npy", inserted=inserted)
    assert any(math.isfinite(float(row["cnr"])) for row in expected)
    options = [f"--lesion-scores={folder / 'again.csv'}", f"--inserted-clean={folder / 'planted.npy'}"]
    run("score", folder / "clean.npy", folder / "new.csv", folder / "half.npy", *options, f"--inserted={inserted[0]}")
    assert read_rows(folder / "again.csv") == expected

import numpy as np
import pytest
from PIL import Image

from fplbench.errors import InputError
from fplbench.files import write_csv
from fplbench.lesions.stack import write_lesions
from fplbench.reporting.lesion_figure import lesion_figure
from fplbench.stacks import write_stack
from tests.helpers.scores import run

SIZE = 64
METHODS = ("noisy", "fpl", "median_filter")
LESIONS = [  # image, lesion_id, rows, columns, inserted
    (0, "a", slice(10, 14), slice(20, 25), 0),
    (1, "a", slice(9, 15), slice(20, 26), 0),
    (1, "b", slice(40, 43), slice(2, 5), 0),
    (2, "c", slice(50, 58), slice(50, 60), 1),
]


@pytest.fixture
def folder(tmp_path):
    """Three images of two patients, with two annotated lesions and an inserted one, and two denoised stacks."""
    rng = np.random.default_rng(0)
    clean = rng.integers(60, 80, (3, SIZE, SIZE), dtype=np.uint8)
    index = [
        {"image_id": f"i{i}", "patient": f"p{i // 2}", "rows": 512, "columns": 512, "row_spacing_mm": 0.7,
         "column_spacing_mm": 0.7, "window_low": -1000.0, "window_high": 400.0, "annotated": 1}
        for i in range(3)
    ]  # fmt: skip
    numbers = np.zeros_like(clean)
    rows = []
    for i, lesion_id, where, columns, inserted in LESIONS:
        number = int(numbers[i].max()) + 1
        numbers[i, where, columns] = number
        clean[i, where, columns] += 60
        rows.append(
            {"image_id": f"i{i}", "lesion": number, "lesion_id": lesion_id, "patient": f"p{i // 2}", "kind": "nodule",
             "shape": "mask" if lesion_id == "a" else "box", "readers": 3, "size_mm": 12.34, "malignancy": "",
             "pixels": int((numbers[i] == number).sum()), "inserted": inserted}
        )  # fmt: skip
    write_stack(tmp_path / "data" / "test.npy", clean, index)
    write_lesions(tmp_path / "data" / "test.npy", numbers, rows)
    write_stack(tmp_path / "noisy" / "gaussian" / "test.npy", clean // 2)
    for strength, method in enumerate(METHODS, start=2):
        write_stack(tmp_path / "denoised" / f"{method}.npy", clean // strength)
        write_stack(tmp_path / "denoised" / f"{method}_inserted.npy", clean // strength)
    write_scores(tmp_path, {"noisy": "1.004", "fpl": "0.834", "median_filter": "-0.256"})
    return tmp_path


def write_scores(folder, values):
    rows = [
        {"method": method, "image_id": f"i{i}", "lesion_id": lesion_id, "inserted": inserted,
         "contrast_recovery": value if (i, lesion_id) == (1, "a") else ""}
        for method, value in values.items()
        for i, lesion_id, *_, inserted in LESIONS
    ]  # fmt: skip
    write_csv(folder / "gaussian.csv", rows)


def draw(folder, name="f.svg", inserted=False, scores=True, **options):
    """Draw the figure; the text in it."""
    suffix = "_inserted" if inserted else ""
    stacks = [folder / "denoised" / f"{method}{suffix}.npy" for method in METHODS]
    table = folder / "gaussian.csv" if scores else None
    clean, noisy = folder / "data" / "test.npy", folder / "noisy" / "gaussian" / "test.npy"
    lesion_figure(folder / name, clean, noisy, stacks, table, inserted, **options)
    return (folder / name).read_text().replace("\xa0", " ") if name.endswith("svg") else ""


def test_the_contrast_recovery_is_that_of_the_method_and_the_image_that_is_shown(folder):
    text = draw(folder)
    assert [text.count(f"<!-- {value} -->") for value in ("1.00", "0.83", "−0.26")] == [1, 1, 1]
    assert text.count("<!-- – -->") == 3  # the second lesion was not scored
    plain = draw(folder, scores=False)
    assert "<!-- – -->" not in plain and "contrast recovery" not in plain and "Yellow: the frame" in plain


def test_scores_of_another_noise_or_of_other_images_are_refused(folder):
    (folder / "gaussian.csv").rename(folder / "motion.csv")
    inputs = (folder / "data" / "test.npy", folder / "noisy" / "gaussian" / "test.npy", [folder / "denoised" / "fpl.npy"])
    with pytest.raises(InputError, match=r"motion.csv does not have the scores on gaussian, the noise of .*: name gaussian.csv"):
        lesion_figure(folder / "f.svg", *inputs, folder / "motion.csv")
    text = (folder / "motion.csv").read_text()
    (folder / "gaussian.csv").write_text(text.replace("i1", "x1"))
    with pytest.raises(InputError, match=r"gaussian.csv has no scores of the lesion in i1: give those of this data set"):
        draw(folder)


def test_the_heading_describes_the_lesion(folder):
    text = draw(folder, dataset="lidc", note="A note")
    assert "LIDC, Gaussian Noise: the 2 annotated lesions in the test images" in text
    assert "Nodule, up to 12.3 mm, marked by 3 readers, patient p0, in 2 images; shown: i1, where it is" in text
    assert "Nodule (box), up to 12.3 mm, marked by 3 readers, patient p0, in one image; shown: i1 (9 pixels)." in text
    assert "A note." in text
    assert "Median" not in text and "Medi. Filt." in text


def test_nothing_is_said_about_patients_where_they_are_not_known(folder):
    (folder / "data" / "sampling.json").write_text('{"persons_known": false}')
    assert "patient" not in draw(folder)


def test_inserted_lesions_have_a_figure_of_their_own(folder):
    text = draw(folder, inserted=True)
    assert "the inserted lesion in the test images" in text
    assert "Nodule (box), inserted, 12.3 mm, patient p1, in one image; shown: i2 (80 pixels)." in text
    assert text.count("<!-- FPL -->") == 1


def test_without_a_lesion_the_picture_is_a_sentence(folder):
    write_lesions(folder / "data" / "test.npy", np.zeros((3, SIZE, SIZE), np.uint8), [])
    (folder / "gaussian.csv").unlink()
    sentence = "LiTS: no test image has an annotated lesion (annotations cover 3 of 3 images)."
    assert f"<!-- {sentence} -->" in draw(folder, dataset="lits")
    assert "<!-- No test image has an inserted lesion. -->" in draw(folder, inserted=True)
    draw(folder, "f.png")
    assert Image.open(folder / "f.png").height < 150


def test_a_recovery_that_is_not_a_number_is_named(folder):
    write_scores(folder, {"noisy": "1.0", "fpl": "high"})
    with pytest.raises(InputError, match=r"gaussian.csv: the contrast_recovery of 'fpl' in image 'i1' is 'high', which is not"):
        draw(folder)
    assert not (folder / "f.svg").exists()


def test_stacks_of_other_images_and_names_of_no_picture_are_refused(folder):
    with pytest.raises(InputError, match=r"f.txt is not a picture"):
        draw(folder, "f.txt")
    write_stack(folder / "denoised" / "fpl.npy", np.zeros((3, 8, 8), np.uint8))
    with pytest.raises(InputError, match=r"fpl.npy holds 3 images of 8x8 pixels"):
        draw(folder)


def test_the_command_takes_stacks_and_scores(folder):
    stacks = [folder / "denoised" / f"{method}_inserted.npy" for method in METHODS]
    inputs = (folder / "data" / "test.npy", folder / "noisy" / "gaussian" / "test.npy", *stacks)
    run("lesion-figure", folder / "c.svg", *inputs, "--lesion-scores", folder / "gaussian.csv", "--inserted", "--dataset", "lidc")
    text = (folder / "c.svg").read_text()
    assert "LIDC, Gaussian Noise: the inserted lesion in the test images" in text
    assert text.count("<!-- Medi. Filt. -->") == 1

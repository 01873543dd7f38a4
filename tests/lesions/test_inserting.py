import logging
import math

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt
from typer.testing import CliRunner

from fplbench.cli import app
from fplbench.errors import InputError
from fplbench.files import file_hash
from fplbench.lesions.inserting import insert_lesions
from fplbench.lesions.options import InsertionOptions
from fplbench.lesions.shapes import surround
from fplbench.lesions.stack import lesions_path, open_lesions, write_lesions
from fplbench.stacks import open_stack, read_index, write_stack

LUNG, LIVER = (-1000, 400), (-160, 240)
SIZE = 128
PIXEL_MM = 0.7 * 512 / SIZE


def chest(window=LUNG):
    """A body with two lungs, or in a liver window with a liver; in grey levels."""
    rows, columns = np.mgrid[:SIZE, :SIZE] / SIZE
    hu = np.full((SIZE, SIZE), -1000.0)
    hu[np.hypot((rows - 0.5) / 0.4, (columns - 0.5) / 0.48) < 1] = 40 if window == LUNG else -100
    for centre in (0.27, 0.73) if window == LUNG else (0.35,):
        hu[np.hypot((rows - 0.5) / 0.28, (columns - centre) / 0.17) < 1] = -860 if window == LUNG else 80
    low, high = window
    return np.rint(np.clip((hu - low) / (high - low), 0, 1) * 255).astype(np.uint8)


def write_split(folder, images, window=LUNG, name="test", patients=None, real=None, spacing="0.7"):
    """A stack with its index, its lesion stack, and a real lesion of 30x20 mm where `real` says so."""
    path = folder / f"{name}.npy"
    index = [
        {
            "image_id": f"{name}-{number}", "patient": (patients or ["p"] * len(images))[number], "source": "s", "slice": number,
            "rows": 512, "columns": 400, "row_spacing_mm": spacing, "column_spacing_mm": spacing,
            "window_low": float(window[0]), "window_high": float(window[1]), "annotated": 1,
        }
        for number in range(len(images))
    ]  # fmt: skip
    write_stack(path, np.array(images), index)
    lesions, rows = np.zeros((len(images), SIZE, SIZE), np.uint8), []
    for number, numbers in (real or {}).items():
        lesions[number] = numbers
        rows.append(
            {
                "image_id": f"{name}-{number}", "lesion": 1, "lesion_id": "n1", "patient": "p", "kind": "nodule",
                "shape": "mask", "readers": 4, "size_mm": 30.0, "malignancy": 4.5, "pixels": np.count_nonzero(numbers),
                "inserted": 0,
            }
        )  # fmt: skip
    write_lesions(path, lesions, rows)
    return path


def inserted(path, seed=1, axes="lidc", **options):
    """Insert, and read the copies, their lesions, the rows of these, and the index."""
    out = path.parent / f"inserted_{path.name}"
    insert_lesions(path, out, InsertionOptions(**{"moved": 0, **options}), seed, axes)
    return np.array(open_stack(out)), *open_lesions(out), read_index(out)


def each_lesion(images, lesions, rows, index):
    """Image, mask and row of every inserted lesion."""
    position = {row["image_id"]: number for number, row in enumerate(index)}
    for row in rows:
        if row["inserted"] == "1":
            number = position[row["image_id"]]
            yield images[number], lesions[number] == int(row["lesion"]), row


@pytest.mark.parametrize(("window", "option", "contrast"), [(LUNG, "lung_contrast", 300), (LIVER, "soft_tissue_contrast", -45)])
def test_the_contrast_on_an_even_background_is_the_one_asked_for(tmp_path, window, option, contrast):
    clean = chest(window)
    path = write_split(tmp_path, [clean], window)
    options = {option: (contrast, contrast), "softness_mm": (0, 0), "size_mm": (20, 30), "copies": 4, "test": 4}
    found = list(each_lesion(*inserted(path, **options)))
    assert len(found) >= 4
    for image, mask, _ in found:
        core = distance_transform_edt(mask) > 1.5  # fully inside
        outside = distance_transform_edt(~mask)
        measured = image[core].mean() - image[(outside > 1.5) & (outside < 3)].mean()
        assert measured * (window[1] - window[0]) / 255 == pytest.approx(contrast, abs=0.5 * (window[1] - window[0]) / 255)


def test_areas_match_the_sizes_in_the_table_at_the_pixel_size_of_the_stack(tmp_path):
    path = write_split(tmp_path, [chest()] * 6)
    found = list(each_lesion(*inserted(path, size_mm=(15, 40), axis_ratio=(1, 1), softness_mm=(0, 1), test=24)))
    assert all(15 <= float(row["size_mm"]) <= 40 for _, _, row in found)
    ratios = [mask.sum() * PIXEL_MM**2 / (math.pi * float(row["size_mm"]) ** 2 / 4) for _, mask, row in found]
    assert np.mean(ratios) == pytest.approx(1, abs=0.03)
    assert [int(row["pixels"]) for _, _, row in found] == [mask.sum() for _, mask, _ in found]


@pytest.mark.parametrize("window", [LUNG, LIVER])
def test_lesions_and_their_surroundings_lie_in_lung_or_liver(tmp_path, window):
    clean = chest(window)
    inside = clean == clean[SIZE // 2, round(SIZE * 0.3)]
    path = write_split(tmp_path, [clean] * 3, window)
    for _, mask, row in each_lesion(*inserted(path, test=12, softness_mm=(1, 4))):
        assert inside[distance_transform_edt(~mask) <= surround(SIZE)].all()
        assert (row["kind"], row["shape"], row["inserted"]) == ("ellipse", "mask", "1")


def nodule():
    """A real lesion in the left lung."""
    rows, columns = np.mgrid[:SIZE, :SIZE]
    return (np.hypot((rows - 64) / 6, (columns - 36) / 4) <= 1).astype(np.uint8)


def with_nodule():
    return np.where(nodule(), np.uint8(180), chest())


def test_no_lesion_lies_in_the_surroundings_of_another_or_of_a_real_one(tmp_path):
    path = write_split(tmp_path, [with_nodule()] * 2, real={0: nodule(), 1: nodule()})
    images, lesions, rows, _ = inserted(path, test=12, lesions_per_image=(6, 10), moved=0.3)
    assert len(rows) >= 12 * 5
    for numbers in lesions:
        np.testing.assert_array_equal(numbers == 1, nodule())  # the real one stays as it was
        for number in set(numbers.flat) - {0}:
            near = distance_transform_edt(numbers != number) <= surround(SIZE)
            assert set(numbers[near].flat) <= {0, number}
    assert {row["lesion"] for row in rows if row["inserted"] == "0"} == {"1"}
    assert len({row["lesion_id"] for row in rows}) == len(rows) - len(images) + 1  # the real one has one name


def test_pixels_away_from_inserted_lesions_are_those_of_the_slice(tmp_path):
    clean = np.random.default_rng(1).integers(0, 25, (3, SIZE, SIZE), np.uint8) + chest() // 2
    path = write_split(tmp_path, list(clean))
    options = {"softness_mm": (0, 2), "test": 9, "lung_contrast": (300, 300)}
    images, lesions, _, index = inserted(path, **options)
    names = [row["image_id"] for row in read_index(path)]
    for image, numbers, entry in zip(images, lesions, index, strict=True):
        source = clean[names.index(entry["copy_of"])]
        away = distance_transform_edt(numbers == 0) > 2 * 2 / PIXEL_MM + 1.5  # twice the softness: erf(2) = 0.995
        np.testing.assert_array_equal(image[away], source[away])
        assert (image[numbers > 0] != source[numbers > 0]).all()


def test_the_index_tells_the_slice_and_names_every_copy(tmp_path):
    path = write_split(tmp_path, [chest()] * 2)
    *_, index = inserted(path, test=5, copies=3)
    names = [row["image_id"] for row in index]
    assert names == [*(f"test-0_inserted-0{k}" for k in range(1, 4)), "test-1_inserted-01", "test-1_inserted-02"] or names == [
        "test-0_inserted-01", "test-0_inserted-02", *(f"test-1_inserted-0{k}" for k in range(1, 4)),
    ]  # fmt: skip
    assert all(row["image_id"].startswith(f"{row['copy_of']}_") and row["window_low"] == "-1000.0" for row in index)


def test_slices_are_copied_again_only_when_the_stack_is_used_up(tmp_path, caplog):
    path = write_split(tmp_path, [chest()] * 4)
    assert len({row["copy_of"] for row in inserted(path, test=4)[3]}) == 4
    with caplog.at_level(logging.WARNING):
        assert len(inserted(path, test=100, copies=3)[3]) == 12
    assert "to have 100 images with inserted lesions; there is room in 12" in caplog.text


def test_patients_share_the_copies_evenly(tmp_path):
    path = write_split(tmp_path, [chest()] * 8, patients=["a"] * 6 + ["b", "c"])
    counts = [row["patient"] for row in inserted(path, test=4)[3]]
    assert sorted(counts.count(name) for name in "abc") == [1, 1, 2]


def contents(path):
    return [file_hash(each) for stack in (path, lesions_path(path)) for each in (stack, stack.with_suffix(".csv"))]


def test_the_same_seed_gives_the_same_bytes_and_others_give_others(tmp_path):
    path = write_split(tmp_path, [with_nodule()] * 3, real={1: nodule()})
    out = tmp_path / "inserted_test.npy"

    def draw(**changes):
        inserted(path, **{"test": 6, "moved": 0.5, **changes})
        return contents(out)

    first = draw()
    assert draw() == first
    assert draw(seed=2)[0] != first[0]
    assert draw(axes="other")[0] != first[0]


def test_lesions_of_a_slice_do_not_depend_on_other_slices(tmp_path):
    (tmp_path / "more").mkdir()
    few = inserted(write_split(tmp_path, [chest()] * 2), test=2)
    more = inserted(write_split(tmp_path / "more", [chest()] * 5), test=5)
    np.testing.assert_array_equal(few[0], more[0][:2])


def test_nodules_are_moved_within_a_split(tmp_path):
    path = write_split(tmp_path, [chest(), with_nodule()], real={1: nodule()})
    found = [each for each in each_lesion(*inserted(path, test=6, moved=1)) if each[2]["kind"] == "moved_nodule"]
    assert len(found) >= 6
    for image, mask, row in found:
        assert mask.sum() == nodule().sum()
        assert set(image[mask]) == {180}  # on lung as dark as where it comes from
        assert (row["malignancy"], row["readers"]) == ("4.5", "0")
        # From corner to corner of its longest line, 13 pixels by 1; the whole nodule has 30 mm.
        assert float(row["size_mm"]) == pytest.approx(np.hypot(13, 1) * PIXEL_MM, abs=0.05)
    train = write_split(tmp_path, [chest()], name="train")
    assert {row["kind"] for row in inserted(train, train=2, moved=1)[2]} == {"ellipse"}  # it has no nodule of its own


def test_slices_without_room_or_pixel_size_are_left_out_and_counted(tmp_path, caplog):
    path = write_split(tmp_path, [chest(), np.full((SIZE, SIZE), 190, np.uint8)])
    with caplog.at_level(logging.INFO):
        index = inserted(path, test=2)[3]
    assert [row["copy_of"] for row in index] == ["test-0", "test-0"]
    assert "copies of 1 of the 2 slices" in caplog.text
    assert "1 slices have no room for one, and 0 have no known pixel size" in caplog.text
    with pytest.raises(InputError, match="No lesion fits into any of the 1 images"):
        inserted(write_split(tmp_path, [chest()], spacing=""))


def test_inputs_that_cannot_be_used_are_named(tmp_path):
    with pytest.raises(InputError, match=r"CT images only.*window_low"):
        inserted(write_split(tmp_path, [chest()], window=(0, 255)))
    with pytest.raises(InputError, match=r"other\.npy is not named train\.npy"):
        inserted(write_split(tmp_path, [chest()], name="other"))
    with pytest.raises(InputError, match="pixel size of 'test-0'"):
        inserted(write_split(tmp_path, [chest()], spacing="wide"))
    path = write_split(tmp_path, [chest()])
    lesions_path(path).unlink()
    with pytest.raises(InputError, match=r"test_lesions\.npy does not exist"):
        inserted(path)


@pytest.mark.parametrize(
    "options",
    [{"size_mm": [9, 3]}, {"min_pixels": 3}, {"axis_ratio": [0.5, 1.2]}, {"moved": 2}, {"lung_contrast": [0, float("inf")]}],
)
def test_impossible_options_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        InsertionOptions(**options)


def test_the_command_inserts_into_several_splits(tmp_path):
    paths = [write_split(tmp_path, [chest()], name=name) for name in ("train", "test")]
    out = tmp_path / "out"
    options = '{"train": 1, "test": 2}'
    result = CliRunner().invoke(
        app, ["insert-lesions", *map(str, paths), "--out-dir", str(out), "--options", options, "--seed", "1", "--axes", "lidc"]
    )
    assert result.exit_code == 0, result.output
    assert len(open_stack(out / "inserted_train.npy")) == 1
    by_hand = inserted(paths[1], test=2, moved=InsertionOptions().moved)
    np.testing.assert_array_equal(open_stack(out / "inserted_test.npy"), by_hand[0])
    assert open_lesions(out / "inserted_test.npy")[1] == by_hand[2]

from collections import Counter

import numpy as np
import pytest

from fplbench.errors import InputError
from fplbench.lesions.shapes import disc_coverage
from fplbench.lesions.signal_places import patch_side
from fplbench.lesions.signals import SignalOptions, read_signals, write_signals
from fplbench.stacks import open_stack, read_index, write_stack

SIZE, PIXEL = 96, 2.5  # mm
WINDOW = (-150.0, 250.0)  # HU
GREY = 133  # 58.6 HU


def options(**changes) -> SignalOptions:
    return SignalOptions(**{"contrasts": [30, 60], "sizes": [8, 20], "pairs": 20, **changes})


def write_clean(path, images, window=WINDOW, spacing=PIXEL * SIZE / 512):
    index = [
        {
            "image_id": f"slice-{i}", "patient": f"p{i}", "rows": 512, "columns": 400, "row_spacing_mm": spacing,
            "column_spacing_mm": spacing, "window_low": window[0], "window_high": window[1],
        }
        for i in range(len(images))
    ]  # fmt: skip
    write_stack(path, images, index)
    return path


@pytest.fixture
def body(tmp_path):
    """Two slices of an even body of 90 pixels in black air."""
    images = np.zeros((2, SIZE, SIZE), np.uint8)
    images[:, 3:93, 3:93] = GREY
    return write_clean(tmp_path / "test.npy", images)


@pytest.mark.parametrize("radius", [0.8, 2.5, 8])
def test_a_disc_has_the_area_of_a_circle(radius):
    assert disc_coverage(patch_side(radius), radius).sum() == pytest.approx(np.pi * radius**2, rel=0.02)


def test_the_stacks_differ_in_the_signals_of_the_table_alone(body, tmp_path):
    write_signals(body, tmp_path, options(), seed=1)
    absent, present = (open_stack(tmp_path / f"{kind}.npy") for kind in ("absent", "present"))
    position = {row["image_id"]: i for i, row in enumerate(read_index(tmp_path / "present.npy"))}
    expected = np.zeros(absent.shape)
    for row in read_signals(tmp_path):
        radius = float(row["size_mm"]) / 2 / PIXEL  # the image of 512x400 is padded to a square before it is resized
        levels = float(row["contrast"]) * 255 / 400
        half = patch_side(radius) // 2
        r, c = int(row["row"]), int(row["column"])
        expected[position[row["image_id"]], r - half : r + half + 1, c - half : c + half + 1] += levels * disc_coverage(
            2 * half + 1, radius
        )
    assert np.abs(present.astype(int) - absent - expected).max() <= 0.5
    clean = {row["image_id"]: image for row, image in zip(read_index(body), open_stack(body), strict=True)}
    for row, image in zip(read_index(tmp_path / "absent.npy"), absent, strict=True):
        assert (image == clean[row["image_id"].partition("_copy")[0]]).all()


def test_each_kind_has_its_pairs_and_no_signal_lies_in_the_patch_of_another(body, tmp_path):
    write_signals(body, tmp_path, options(), seed=1)
    rows = read_signals(tmp_path)
    assert Counter((row["size_mm"], row["contrast"]) for row in rows) == {
        (size, contrast): 20 for size in ("8.0", "20.0") for contrast in ("30.0", "60.0")
    }
    half = patch_side(20 / 2 / PIXEL) // 2
    for one in rows:
        for other in rows:
            if one is not other and one["image_id"] == other["image_id"]:
                distance = max(abs(int(one[axis]) - int(other[axis])) for axis in ("row", "column"))
                assert distance > half + float(other["radius"])


def test_places_depend_on_the_seed_and_the_data_set_and_on_nothing_else(body, tmp_path):
    found = []
    for folder, seed, axes in (("a", 1, "lits"), ("b", 1, "lits"), ("c", 2, "lits"), ("d", 1, "lidc")):
        write_signals(body, tmp_path / folder, options(), seed=seed, axes=axes)
        found.append([(row["row"], row["column"]) for row in read_signals(tmp_path / folder)])
    assert found[0] == found[1]
    assert found[0] != found[2] and found[0] != found[3]


def test_signals_lie_in_the_lungs_where_the_window_shows_them(tmp_path):
    rows, columns = np.indices((SIZE, SIZE)) - SIZE // 2
    hu = np.where(rows**2 + columns**2 < 45**2, 40.0, -1000.0)
    left, right = (rows**2 + (columns - shift) ** 2 < 18**2 for shift in (-22, 22))
    hu[left | right] = -850
    image = np.rint((hu + 1000) * 255 / 1400).astype(np.uint8)
    write_clean(tmp_path / "test.npy", image[None], (-1000.0, 400.0))
    write_signals(tmp_path / "test.npy", tmp_path, options(contrasts=[100]), seed=1)
    assert all((left | right)[int(row["row"]), int(row["column"])] for row in read_signals(tmp_path))


def test_radiographs_have_contrasts_in_grey_levels_and_signals_on_even_ground(tmp_path):
    image = np.full((SIZE, SIZE), 100, np.uint8)
    image[:, SIZE // 2 :] = np.where(np.indices((SIZE, SIZE // 2)).sum(axis=0) % 2, 60, 140)  # SD 40
    write_clean(tmp_path / "test.npy", image[None], (0.0, 255.0))
    write_signals(tmp_path / "test.npy", tmp_path, options(contrasts=[7]), seed=1)
    rows = read_signals(tmp_path)
    assert {row["unit"] for row in rows} == {"grey levels"}
    assert all(int(row["column"]) < SIZE // 2 for row in rows)
    pair = [open_stack(tmp_path / f"{kind}.npy").astype(int) for kind in ("absent", "present")]
    assert (pair[1] - pair[0]).max() == 7


@pytest.mark.parametrize(
    ("changes", "index", "message"),
    [
        ({}, {"spacing": ""}, "has no pixel spacing"),
        ({"sizes": [2, 8]}, {}, "a pixel of .* has 2.5 mm"),
        ({"sizes": [100]}, {}, "even place for a signal of 100 mm"),
        ({"contrasts": [300]}, {}, "A contrast of 300 HU is too strong"),
    ],
)
def test_what_cannot_be_inserted_is_one_sentence(tmp_path, changes, index, message):
    images = np.zeros((1, SIZE, SIZE), np.uint8)
    images[:, 3:93, 3:93] = GREY
    write_clean(tmp_path / "test.npy", images, **index)
    with pytest.raises(InputError, match=message):
        write_signals(tmp_path / "test.npy", tmp_path, options(**changes), seed=1)

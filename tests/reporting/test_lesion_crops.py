import numpy as np
import pytest

from fplbench.reporting import lesion_crops


def test_the_outline_is_every_edge_between_a_pixel_of_the_lesion_and_another():
    mask = np.random.default_rng(0).random((7, 9)) < 0.5
    inside = {(int(row), int(column)) for row, column in np.argwhere(mask)}
    expected = set()
    for row, column in inside:
        left, right, top, bottom = column - 0.5, column + 0.5, row - 0.5, row + 0.5
        if (row, column - 1) not in inside:
            expected.add(((left, top), (left, bottom)))
        if (row, column + 1) not in inside:
            expected.add(((right, top), (right, bottom)))
        if (row - 1, column) not in inside:
            expected.add(((left, top), (right, top)))
        if (row + 1, column) not in inside:
            expected.add(((left, bottom), (right, bottom)))
    found = [tuple(map(tuple, line)) for line in lesion_crops.edges(mask).tolist()]
    assert len(found) == len(set(found))
    assert set(found) == expected


def test_the_outline_of_a_box_is_as_long_as_its_perimeter_even_at_the_border():
    mask = np.zeros((10, 12), bool)
    mask[:3, 7:] = True
    lines = lesion_crops.edges(mask)
    np.testing.assert_allclose(np.abs(lines[:, 1] - lines[:, 0]).sum(axis=1), 1)
    assert len(lines) == 2 * (3 + 5)


@pytest.mark.parametrize(("size", "side"), [(256, 24), (96, 9), (512, 48)])
def test_a_small_lesion_is_in_the_middle_of_a_crop_whose_side_follows_the_size_of_the_image(size, side):
    mask = np.zeros((size, size), bool)
    mask[size // 2, size // 3] = True
    rows, columns = lesion_crops.crop_around(mask)
    assert (rows.stop - rows.start, columns.stop - columns.start) == (side, side)
    assert abs((rows.start + rows.stop) / 2 - size // 2 - 0.5) <= 0.5
    assert abs((columns.start + columns.stop) / 2 - size // 3 - 0.5) <= 0.5


def test_a_crop_has_a_quarter_of_a_large_lesion_as_margin_and_stays_in_the_image():
    mask = np.zeros((256, 256), bool)
    mask[100:180, 200:256] = True
    rows, columns = lesion_crops.crop_around(mask)
    assert (rows.start, rows.stop) == (80, 200)
    assert (columns.start, columns.stop) == (136, 256)
    mask[:] = True
    assert lesion_crops.crop_around(mask) == (slice(0, 256), slice(0, 256))


def test_the_window_is_that_of_the_lesion_and_its_surroundings_not_of_the_bright_wall_beside():
    image = np.full((256, 256), 50, np.uint8)
    mask = np.zeros((256, 256), bool)
    mask[100:110, 100:110] = True
    image[mask] = 150
    image[:, 113:] = 255  # the surroundings end two pixels from the lesion
    assert lesion_crops.grey_window(image, mask) == pytest.approx((30, 170))


def test_the_window_of_a_faint_lesion_is_at_least_64_grey_levels_wide_and_has_none_beyond_0_and_255():
    mask = np.zeros((256, 256), bool)
    mask[100:110, 100:110] = True
    for level, expected in ((100, (73, 137)), (0, (0, 64)), (245, (191, 255))):
        image = np.full((256, 256), level, np.uint8)
        image[mask] = level + 10
        assert lesion_crops.grey_window(image, mask) == pytest.approx(expected)


def test_lesions_are_chosen_by_size_each_in_its_largest_image():
    def row(name, lesion_id, pixels, inserted=0, kind="nodule"):
        numbers = {"pixels": str(pixels), "inserted": str(inserted)}
        return {"image_id": name, "patient": "p", "lesion_id": lesion_id, "kind": kind, **numbers}

    rows = [
        row("i0", "a", 9),
        row("i1", "a", 30),
        row("i1", "b", 12),
        row("i2", "c", 50),
        row("i2", "d", 5),
        row("i0", "e", 99, 1, "moved_nodule"),
        row("i1", "f", 98, 1, "moved_nodule"),
        row("i1", "g", 20, 1, "ellipse"),
    ]
    chosen, total = lesion_crops.largest_lesions(rows, ["i0", "i1", "i2"], inserted=False, most=3)
    assert [(each.row["lesion_id"], each.position, each.images) for each in chosen] == [("c", 2, 1), ("a", 1, 2), ("b", 1, 1)]
    assert total == 4
    chosen, total = lesion_crops.largest_lesions(rows, ["i0", "i1", "i2"], inserted=True, most=3)
    # The largest of each kind, then the next: a figure of moved nodules alone would show one nodule three times.
    assert ([each.row["lesion_id"] for each in chosen], total) == (["e", "g", "f"], 3)


def test_the_window_is_stated_in_hounsfield_units_and_the_crop_in_millimetres():
    entry = {
        "rows": "512",
        "columns": "500",
        "row_spacing_mm": "0.5",
        "column_spacing_mm": "0.5",
        "window_low": "-1000.0",
        "window_high": "400.0",
    }
    words = lesion_crops.describe_crop("test.npy", entry, 24, 256, (51, 102)).replace("\xa0", " ")
    assert words == "Crops: 24×24 pixels (24 mm), window −720 to −440 HU."  # 5.49 HU a grey level, 1 mm a pixel
    entry = {
        "rows": "",
        "columns": "",
        "row_spacing_mm": "",
        "column_spacing_mm": "",
        "window_low": "0.0",
        "window_high": "255.0",
    }
    words = lesion_crops.describe_crop("test.npy", entry, 24, 256, (51, 102)).replace("\xa0", " ")
    assert words == "Crops: 24×24 pixels, grey levels 51 to 102."

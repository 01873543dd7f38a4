import itertools

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from fplbench.errors import InputError
from fplbench.files import write_csv
from fplbench.lesions.stack import write_lesions
from fplbench.reporting import lesion_crops, lesion_panels
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
        {"method": method, "image_id": "i1", "lesion_id": "a", "inserted": 0, "contrast_recovery": value}
        for method, value in values.items()
    ]
    write_csv(folder / "scores.csv", rows)


def draw(folder, name="f.svg", inserted=False, scores=True, **options):
    """Draw the figure; the text in it."""
    suffix = "_inserted" if inserted else ""
    stacks = [folder / "denoised" / f"{method}{suffix}.npy" for method in METHODS]
    table = folder / "scores.csv" if scores else None
    clean, noisy = folder / "data" / "test.npy", folder / "noisy" / "gaussian" / "test.npy"
    lesion_figure(folder / name, clean, noisy, stacks, table, inserted, **options)
    return (folder / name).read_text().replace("\xa0", " ") if name.endswith("svg") else ""


def block(size=32, panels=3, label="Method", heading="A lesion."):
    rng = np.random.default_rng(1)
    mask = np.zeros((size, size), bool)
    mask[size // 3 : size // 2, size // 3 : size // 2] = True
    crops = [(f"{label} {i}", "0.83", rng.integers(0, 256, (size, size), dtype=np.uint8)) for i in range(panels)]
    image = rng.integers(0, 256, (256, 256), dtype=np.uint8)
    part = slice(100, 100 + size)
    return lesion_panels.Block(heading, image, part, part, mask, crops, (0.0, 255.0))


def rendered(figure):
    """The picture, uint8 (rows, columns, 4), and the renderer."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba()), canvas.get_renderer()


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
    def row(name, lesion_id, pixels, inserted=0):
        return {"image_id": name, "patient": "p", "lesion_id": lesion_id, "pixels": str(pixels), "inserted": str(inserted)}

    rows = [
        row("i0", "a", 9),
        row("i1", "a", 30),
        row("i1", "b", 12),
        row("i2", "c", 50),
        row("i2", "d", 5),
        row("i0", "e", 99, 1),
    ]
    chosen, total = lesion_crops.largest_lesions(rows, ["i0", "i1", "i2"], inserted=False, most=3)
    assert [(each.row["lesion_id"], each.position, each.images) for each in chosen] == [("c", 2, 1), ("a", 1, 2), ("b", 1, 1)]
    assert total == 4
    chosen, total = lesion_crops.largest_lesions(rows, ["i0", "i1", "i2"], inserted=True, most=3)
    assert ([each.row["lesion_id"] for each in chosen], total) == (["e"], 1)


@pytest.mark.parametrize("size", [9, 24, 33, 40])
def test_every_pixel_of_a_crop_is_a_square_of_dots_of_its_own_grey_level(size):
    shown = block(size)
    figure = lesion_panels.draw_blocks([shown], "Title", "Note.")
    picture, _ = rendered(figure)
    for axes, (_, _, crop) in zip(figure.axes[1:], shown.crops, strict=True):
        box = axes.get_window_extent()
        side = box.width / size
        assert side >= 4
        assert side == pytest.approx(round(side))
        left, top = round(box.x0), round(len(picture) - box.y1)
        part = picture[top : top + round(box.height), left : left + round(box.width), :3]
        squares = part.reshape(size, round(side), size, round(side), 3)[:, 2:-2, :, 2:-2]  # without the outline
        assert (squares == squares[:, :1, :, :1, :1]).all()
        np.testing.assert_allclose(squares[:, 0, :, 0, 0], crop, atol=1)  # Matplotlib rounds grey levels its own way


@pytest.mark.parametrize(("panels", "rows"), [(3, 1), (12, 2), (13, 2)])
def test_panels_take_rows_in_which_no_text_touches_another_or_an_image_or_is_cut(panels, rows):
    label = "Gaussian filter, with tuned options"
    heading = "Nodule, 30.3 mm, marked by 4 readers, patient LIDC-IDRI-0001, in 4 images; shown: " * 3
    title = "LIDC, Chemical Shift Artifact: the 3 largest of 123 annotated lesions in the test images"
    figure = lesion_panels.draw_blocks([block(side, panels, label, heading) for side in (32, 9, 120)], title, heading)
    picture, renderer = rendered(figure)
    texts = [text.get_window_extent(renderer) for text in figure.texts]
    images = [axes.get_window_extent() for axes in figure.axes]
    for one, other in itertools.combinations([*texts, *images], 2):
        beside = min(one.x1, other.x1) - max(one.x0, other.x0) < 1
        assert beside or min(one.y1, other.y1) - max(one.y0, other.y0) < 1, (one, other)
    for box in [*texts, *images]:
        assert min(box.x0, box.y0) >= 0
        assert box.x1 <= picture.shape[1]
        assert box.y1 <= picture.shape[0]
    assert len({round(box.y0) for box in images[1 : panels + 1]}) == rows


def test_the_contrast_recovery_is_that_of_the_method_and_the_image_that_is_shown(folder):
    text = draw(folder)
    assert [text.count(f"<!-- {value} -->") for value in ("1.00", "0.83", "−0.26")] == [1, 1, 1]
    assert text.count("<!-- – -->") == 3  # the second lesion was not scored
    assert draw(folder, scores=False).count("<!-- – -->") == 6


def test_the_heading_describes_the_lesion(folder):
    text = draw(folder, dataset="lidc", note="A note")
    assert "LIDC, Gaussian Noise: the 2 annotated lesions in the test images" in text
    assert "Nodule, 12.3 mm, marked by 3 readers, patient p0, in 2 images; shown: i1, where it is" in text
    assert "Nodule (box), 12.3 mm, marked by 3 readers, patient p0, in one image; shown: i1 (9 pixels)." in text
    assert "A note." in text
    assert "Median" not in text and "Medi. Filt." in text


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


def test_nothing_is_said_about_patients_where_they_are_not_known(folder):
    (folder / "data" / "sampling.json").write_text('{"persons_known": false}')
    assert "patient" not in draw(folder)


def test_inserted_lesions_have_a_figure_of_their_own(folder):
    text = draw(folder, inserted=True)
    assert "the inserted lesion in the test images" in text
    assert "Nodule (box), inserted, 12.3 mm, patient p1, in one image; shown: i2 (80 pixels)." in text
    assert text.count("<!-- Our (FPL) -->") == 1


def test_without_a_lesion_the_picture_is_a_sentence(folder):
    write_lesions(folder / "data" / "test.npy", np.zeros((3, SIZE, SIZE), np.uint8), [])
    (folder / "scores.csv").unlink()
    sentence = "LiTS: no test image has an annotated lesion (annotations cover 3 of 3 images)."
    assert f"<!-- {sentence} -->" in draw(folder, dataset="lits")
    assert "<!-- No test image has an inserted lesion. -->" in draw(folder, inserted=True)
    draw(folder, "f.png")
    assert Image.open(folder / "f.png").height < 150


def test_a_recovery_that_is_not_a_number_is_named(folder):
    write_scores(folder, {"noisy": "1.0", "fpl": "high"})
    with pytest.raises(InputError, match=r"scores.csv: the contrast_recovery of 'fpl' in image 'i1' is 'high', which is not"):
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
    run("lesion-figure", folder / "c.svg", *inputs, "--lesion-scores", folder / "scores.csv", "--inserted", "--dataset", "lidc")
    text = (folder / "c.svg").read_text()
    assert "LIDC, Gaussian Noise: the inserted lesion in the test images" in text
    assert text.count("<!-- Medi. Filt. -->") == 1

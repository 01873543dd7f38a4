"""Pages of panels: every place is filled, words can be read and do not collide, and pixels are kept."""

import itertools
import re
import zlib

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from fplbench.reporting.arrangement import Arrangement, Legend, fill
from fplbench.reporting.detail import choose_detail
from fplbench.reporting.lettering import LEAST_PIXELS, PAGE_PIXELS
from fplbench.reporting.panels import Panel, save
from fplbench.reporting.scale_bars import DIVERGING, Bar, difference_bar, grey_bar

WORDS = "The images are abdominal slices of that CT, not LiTS images, and the networks are small and train for seconds. " * 3
BARS = [Bar("Images, HU", ("−1000", "", "400")), Bar("Differences, HU", ("−300", "0", "+300"), DIVERGING)]


def image(size=96):
    return np.random.default_rng(1).integers(0, 256, (size, size), dtype=np.uint8)


def page(panels=8, columns=4, size=96, tiers=2, detail=None, legend=True):
    shown = image(size)
    found = Arrangement(columns, shown.shape, detail)
    found.heading("LIDC, Chemical Shift Artifact: image LIDC-IDRI-0001_z-112.5_c579aaf6")
    column = [Panel("A method with a long label, with tuned options\n29.21 dB / 0.890", shown), Panel("Difference", shown)][
        :tiers
    ]
    found.columns_of([column] * panels, Legend(BARS, WORDS) if legend else None)
    found.paragraph(WORDS)
    return found.figure()


def boxes(figure):
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    words = [text.get_window_extent(canvas.get_renderer()) for text in figure.texts if text.get_text()]
    return np.asarray(canvas.buffer_rgba()), words, [each.get_window_extent() for each in figure.axes[0].images]


@pytest.mark.slow
@pytest.mark.parametrize(("panels", "columns"), [(8, 4), (7, 4), (5, 4), (14, 5), (12, 6), (3, 3)])
def test_no_word_touches_another_or_an_image_or_is_cut_or_too_small(panels, columns):
    figure = page(panels, columns)
    picture, words, images = boxes(figure)
    for one, other in itertools.combinations([*words, *images], 2):
        beside = min(one.x1, other.x1) - max(one.x0, other.x0) < 1
        assert beside or min(one.y1, other.y1) - max(one.y0, other.y0) < 1, (one, other)
    for box in [*words, *images]:
        assert min(box.x0, box.y0) >= 0 and box.x1 <= picture.shape[1] and box.y1 <= picture.shape[0]
    smallest = min(text.get_fontsize() for text in figure.texts)
    assert smallest / 72 * figure.dpi * PAGE_PIXELS / picture.shape[1] >= LEAST_PIXELS


@pytest.mark.parametrize(
    ("count", "choices", "columns"), [(8, (4, 5, 3, 6), 4), (9, (4, 5, 3, 6), 3), (7, (4, 5, 3, 6), 4), (14, (5, 4, 3), 5)]
)
def test_columns_are_chosen_to_fill_the_last_row(count, choices, columns):
    assert fill(count, choices) == columns


def test_the_legend_stands_in_what_the_last_row_leaves_else_below():
    for panels, below in ((7, False), (8, True)):
        _, _, images = boxes(page(panels, tiers=1))
        lowest = min(box.y0 for box in images[: 1 * panels])
        bars = images[panels:]
        assert len(bars) == len(BARS)
        assert all((box.y1 < lowest) == below for box in bars)


@pytest.mark.parametrize("size", [16, 96, 256, 300, 700])
def test_every_pixel_is_a_square_of_dots_of_its_own_grey_level(size):
    shown = image(size)
    figure = page(4, size=size, tiers=1, legend=False)
    picture, _, images = boxes(figure)
    box = images[0]
    side = round(box.width / size)
    assert side * size >= 300
    left, top = round(box.x0), round(len(picture) - box.y1)
    part = picture[top : top + side * size, left : left + side * size, 0]
    squares = part.reshape(size, side, size, side)
    assert (squares == squares[:, :1, :, :1]).all()
    np.testing.assert_allclose(squares[:, 0, :, 0], shown, atol=1)


def test_the_magnified_part_shows_its_own_pixels_in_its_corner():
    shown = image()
    mask = np.zeros(shown.shape, bool)
    mask[20:25, 30:36] = True
    detail = choose_detail(shown, mask)
    figure = page(4, tiers=1, detail=detail, legend=False)
    panel, inset = figure.axes[0].images[:2]
    np.testing.assert_array_equal(inset.get_array(), shown[detail.rows, detail.columns])
    outer, inner = panel.get_window_extent(), inset.get_window_extent()
    assert inner.width / detail.side >= 2 * outer.width / 96
    assert (inner.x1 == pytest.approx(outer.x1)) == detail.at_right
    assert (inner.y0 == pytest.approx(outer.y0)) == detail.at_bottom


@pytest.mark.slow
def test_a_pdf_has_words_as_text_in_truetype_fonts_and_images_with_their_own_pixels(tmp_path):
    detail = choose_detail(image())
    save(page(8, detail=detail), tmp_path / "page.pdf", 200)
    content = (tmp_path / "page.pdf").read_bytes()
    assert len(content) < 400_000
    assert b"/Type3" not in content and b"/CIDFontType2" in content and b"/FontFile2" in content
    sizes = set(re.findall(rb"/Height (\d+)", content))
    assert sizes == {b"96", b"%d" % detail.side, b"1"}  # panels, magnified parts, scale bars
    pages = [
        zlib.decompress(part) for part in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.S) if part[:1] == b"\x78"
    ]
    assert any(b" Tf" in part and b"Tj" in part.replace(b"TJ", b"Tj") for part in pages)  # words are shown as text
    save(page(8, detail=detail), tmp_path / "again.pdf", 200)
    assert (tmp_path / "again.pdf").read_bytes() == content


@pytest.mark.parametrize(
    ("bound", "entry", "ticks", "levels"),
    [
        (18.0, {}, ("−20", "0", "+20"), 20),
        (20.0, {}, ("−20", "0", "+20"), 20),
        (0.0, {}, ("−1", "0", "+1"), 1),
        (255.0, {}, ("−300", "0", "+300"), 300),
        (40.0, {"window_low": "-1000", "window_high": "400"}, ("−300", "0", "+300"), 300 * 255 / 1400),  # 40 levels are 220 HU
    ],
)
def test_the_colours_of_differences_end_at_a_round_number_in_the_unit_of_the_images(bound, entry, ticks, levels):
    bar, end = difference_bar(bound, entry)
    assert bar.ticks == ticks
    assert end == pytest.approx(levels)


def test_greys_are_stated_in_hu_only_where_the_index_has_a_window_in_hu():
    assert grey_bar({"window_low": "-160", "window_high": "240"}) == Bar("Images, HU", ("−160", "", "240"))
    assert grey_bar({"window_low": "0", "window_high": "255"}) == Bar("Images, grey levels", ("0", "", "255"))
    half = grey_bar({"window_low": "-1000", "window_high": "400"}, "Crops", (0, 127.5))
    assert half == Bar("Crops, HU", ("−1000", "", "−300"))


def test_the_colours_of_differences_rank_without_colours_too():
    from matplotlib import colormaps

    red, green, blue, _ = colormaps[DIVERGING](np.linspace(0, 1, 256)).T
    lightness = 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2  # luminance of sRGB
    assert (np.diff(lightness) > 0).all()
    assert np.ptp([red[127], green[127], blue[127]]) < 0.05  # zero is grey

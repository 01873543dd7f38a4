import itertools

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from fplbench.reporting import lesion_panels
from fplbench.reporting.lettering import LEAST_PIXELS, PAGE_PIXELS
from fplbench.reporting.scale_bars import Bar


def block(size=32, panels=3, label="Method", heading="A lesion."):
    rng = np.random.default_rng(1)
    mask = np.zeros((size, size), bool)
    mask[size // 3 : size // 2, size // 3 : size // 2] = True
    crops = [(f"{label} {i}", "0.83", rng.integers(0, 256, (size, size), dtype=np.uint8)) for i in range(panels)]
    image = rng.integers(0, 256, (256, 256), dtype=np.uint8)
    part = slice(100, 100 + size)
    return lesion_panels.Block(heading, image, part, part, mask, crops, (0.0, 255.0), Bar("Crops, HU", ("−160", "", "240")))


def boxes(figure):
    """Where the images of the page are, in dots."""
    return [image.get_window_extent() for image in figure.axes[0].images]


def rendered(figure):
    """The picture, uint8 (rows, columns, 4), and the renderer."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba()), canvas.get_renderer()


@pytest.mark.parametrize("size", [9, 24, 33, 40])
def test_every_pixel_of_a_crop_is_a_square_of_dots_of_its_own_grey_level(size):
    shown = block(size)
    figure = lesion_panels.draw_blocks([shown], "Title", "Note.")
    picture, _ = rendered(figure)
    for box, (_, _, crop) in zip(boxes(figure)[1:], shown.crops, strict=True):
        side = box.width / size
        assert side >= 4
        assert side == pytest.approx(round(side), abs=1e-3)
        left, top = round(box.x0), round(len(picture) - box.y1)
        part = picture[top : top + round(box.height), left : left + round(box.width), :3]
        squares = part.reshape(size, round(side), size, round(side), 3)[:, 2:-2, :, 2:-2]  # without the outline
        assert (squares == squares[:, :1, :, :1, :1]).all()
        np.testing.assert_allclose(squares[:, 0, :, 0, 0], crop, atol=1)  # Matplotlib rounds grey levels its own way


@pytest.mark.slow
@pytest.mark.parametrize(("panels", "rows", "left"), [(3, 1, 0), (12, 2, 0), (13, 2, 1), (16, 3, 2)])
def test_panels_take_rows_in_which_no_text_touches_another_or_an_image_or_is_cut(panels, rows, left):
    label = "Gaussian filter, with tuned options"
    heading = "Nodule, 30.3 mm, marked by 4 readers, patient LIDC-IDRI-0001, in 4 images; shown: " * 3
    title = "LIDC, Chemical Shift Artifact: 3 of 123 annotated lesions in the test images"
    figure = lesion_panels.draw_blocks([block(side, panels, label, heading) for side in (32, 9, 120)], title, heading)
    picture, renderer = rendered(figure)
    texts = [text.get_window_extent(renderer) for text in figure.texts]
    images = boxes(figure)
    for one, other in itertools.combinations([*texts, *images], 2):
        beside = min(one.x1, other.x1) - max(one.x0, other.x0) < 1
        assert beside or min(one.y1, other.y1) - max(one.y0, other.y0) < 1, (one, other)
    for box in [*texts, *images]:
        assert min(box.x0, box.y0) >= 0
        assert box.x1 <= picture.shape[1]
        assert box.y1 <= picture.shape[0]
    assert [text.get_text() for text in figure.texts].count("Crops, HU") == (3 if left else 0)  # in what the last row leaves
    smallest = min(text.get_fontsize() for text in figure.texts)
    assert smallest / 72 * PAGE_PIXELS / figure.get_figwidth() >= LEAST_PIXELS
    assert len({round(box.y0) for box in images[1 : panels + 1]}) == rows

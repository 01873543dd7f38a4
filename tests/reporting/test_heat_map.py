import re

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from fplbench.errors import InputError
from fplbench.reporting.heat_map import colour_limits, draw_heat_map, read_means, signed
from fplbench.reporting.labels import Labels
from fplbench.reporting.lettering import LEAST_PIXELS, PAGE_PIXELS
from fplbench.reporting.numbered_cells import luminance
from fplbench.reporting.repeats import read_columns
from tests.helpers.scores import run, write_config

PSNR = {
    ("lidc", "speckle", "nlm"): [20, 24],
    ("lidc", "speckle", "noisy"): [20, 20],
    ("lidc", "speckle", "perfect"): [100, 100],
    ("lidc", "gaussian", "nlm"): [9, 10],
    ("lidc", "gaussian", "noisy"): [10, 11],
    ("lidc", "gaussian", "perfect"): [100, 100],
    ("rsna", "gaussian", "nlm"): [26, 26],
    ("rsna", "gaussian", "noisy"): [25.5, 25.5],
    ("rsna", "gaussian", "perfect"): [100, 100],
}


@pytest.fixture
def draw(write_scores):
    """Function that draws the scores with some cells left out; the figure and its first panel."""

    def draw_without(*left_out, metric="psnr"):
        path = write_scores({cell: values for cell, values in PSNR.items() if cell not in left_out})
        figure = draw_heat_map(read_columns(path), metric, "A note", Labels({"perfect": "Perfect"}))
        return figure, figure.axes[0]

    return draw_without


def rows_of(axis):
    """The words in the cells of a panel, by row and column."""
    columns = len(axis.images[0].get_array()[0])
    return np.array([text.get_text() for text in axis.texts]).reshape(-1, columns).tolist()


def framed(axis):
    """Column and row of the framed cells."""
    return sorted((round(box.get_x() + 0.46), round(box.get_y() + 0.43)) for box in axis.patches)


def test_cells_are_gains_over_the_unprocessed_image_whose_own_mean_is_in_the_first_column(draw):
    figure, lidc = draw()
    # Means of gaussian: noisy 10.5, nlm 9.5; of speckle: noisy 20, nlm 22; of rsna: noisy 25.5, nlm 26.
    assert rows_of(lidc) == [["10.5", "−1.0", "+89.5"], ["20.0", "+2.0", "+80.0"]]
    assert rows_of(figure.axes[1]) == [["25.5", "+0.5", "+74.5"]]
    assert [axis.get_title(loc="left") for axis in figure.axes[:2]] == ["LIDC", "RSNA"]


def test_rows_and_columns_have_the_labels_and_the_order_of_the_tables(draw):
    figure, lidc = draw()
    assert [tick.get_text() for tick in lidc.get_yticklabels()] == ["Gauss.", "Speckle Noise"]
    assert [tick.get_text() for tick in figure.axes[1].get_xticklabels()] == ["Noisy (dB)", "NL Mean.", "Perfect"]


def test_ssim_has_two_digits(draw):
    _, lidc = draw(metric="ssim")  # psnr / 100
    assert rows_of(lidc)[1] == ["0.20", "+0.02", "+0.80"]


def test_a_perfect_method_is_marked_as_the_best_everywhere(draw):
    figure, _ = draw()
    assert framed(figure.axes[0]) == [(2, 0), (2, 1)] and framed(figure.axes[1]) == [(2, 0)]
    assert {text.get_text() for axis in figure.axes for text in axis.texts if text.get_weight() == "bold"} == {
        "+89.5", "+80.0", "+74.5",
    }  # fmt: skip


def test_the_unprocessed_image_and_methods_that_tie_can_be_the_best(write_scores):
    psnr = {"noisy": [10, 10], "nlm": [9, 10], "dpir": [10, 10]}
    figure = draw_heat_map(
        read_columns(write_scores({("lidc", "gaussian", name): values for name, values in psnr.items()})), "psnr", "", Labels()
    )
    assert framed(figure.axes[0]) == [(0, 0), (1, 0)]  # Noisy and DPIR


def test_without_the_unprocessed_image_somewhere_the_means_are_shown(draw):
    figure, lidc = draw(("lidc", "gaussian", "noisy"))
    assert rows_of(lidc) == [["–", "9.5", "100.0"], ["20.0", "22.0", "100.0"]]
    assert figure.axes[-1].get_ylabel() == "Mean PSNR (dB)"
    assert (lidc.images[0].norm.vmin, lidc.images[0].norm.vmax) == (9.5, 100)


def test_a_method_that_was_not_scored_has_a_dash(draw):
    figure, _ = draw(("rsna", "gaussian", "nlm"))
    assert rows_of(figure.axes[1]) == [["25.5", "–", "+74.5"]]


def test_all_panels_have_the_same_colours_and_no_gain_is_their_light_middle(draw):
    figure, _ = draw()
    low, high = figure.axes[0].images[0].norm.vmin, figure.axes[0].images[0].norm.vmax
    assert low == -high and high <= 89.5
    assert (figure.axes[1].images[0].norm.vmin, figure.axes[1].images[0].norm.vmax) == (low, high)
    assert luminance(figure.axes[0].images[0].to_rgba(0.0)) > 0.85


def test_a_run_without_any_difference_is_drawn(write_scores):
    cells = {("lidc", "gaussian", name): [20, 20] for name in ("noisy", "nlm")}
    means = read_means(read_columns(write_scores(cells)), "psnr", Labels())
    assert colour_limits(means.values()) == (-1, 1)


def test_every_number_and_frame_can_be_read_on_its_colour(draw):
    _, lidc = draw()
    picture = lidc.images[0]
    for text, value in zip(lidc.texts, picture.get_array().ravel(), strict=True):
        behind = luminance(picture.to_rgba(value)) if value is not np.ma.masked else 1
        light, dark = sorted((luminance(to_rgb(text.get_color())), behind), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5  # level AA of the WCAG


def test_a_gain_that_is_rounded_to_zero_has_no_sign():
    assert [signed(value, 1) for value in (0.06, 0.04, 0.0, -0.04, -0.06)] == ["+0.1", "0.0", "0.0", "0.0", "-0.1"]


@pytest.mark.parametrize("methods", [2, 12, 40])
def test_lettering_is_at_least_11_pixels_high_in_the_report(write_scores, methods):
    cells = {("lidc", "gaussian", f"m{number:02d}"): [20, 21] for number in range(methods)}
    figure = draw_heat_map(read_columns(write_scores(cells)), "psnr", "", Labels())
    texts = [*figure.axes[0].texts, *figure.axes[0].get_xticklabels(), *figure.axes[0].get_yticklabels()]
    shown = PAGE_PIXELS / (72 * figure.get_figwidth())  # pixels of a point
    assert min(text.get_fontsize() for text in texts) * shown >= LEAST_PIXELS - 1e-9


def test_the_command_takes_labels_and_note_from_the_config(tmp_path, write_scores):
    path = write_scores(PSNR)
    config = write_config(
        tmp_path / "config.json", datasets=["lidc", "rsna"], noises=["gaussian"], note="One note", feature_error=[],
        methods={"noisy": {}, "fpl": {}, "nlm": {"label": "Means"}},
    )  # fmt: skip
    run("heat-map", tmp_path / "h.svg", path, "--config", config)
    words = " ".join(re.findall(r"<!-- (.*) -->", (tmp_path / "h.svg").read_text()))
    assert "Means" in words and "One note." in words
    run("heat-map", tmp_path / "h.png", path, "--metric", "ssim")
    assert Image.open(tmp_path / "h.png").format == "PNG"


def test_other_files_and_pictures_are_refused(tmp_path, write_scores):
    with pytest.raises(InputError, match=r"gone.csv does not exist"):
        run("heat-map", tmp_path / "h.png", tmp_path / "gone.csv")
    with pytest.raises(InputError, match=r"h.txt is not a picture"):
        run("heat-map", tmp_path / "h.txt", write_scores(PSNR))

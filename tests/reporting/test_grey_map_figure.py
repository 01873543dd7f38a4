import re

import numpy as np
import pytest

from fplbench.denoising.grey_map import GreyMap, write_grey_map
from fplbench.errors import InputError
from fplbench.reporting.grey_map_figure import OTHER_STYLE, coloured, draw_grey_maps, grey_map_figure, line_styles, read_grey_maps
from fplbench.reporting.labels import Labels
from fplbench.reporting.lettering import LEAST_PIXELS, PAGE_PIXELS
from tests.helpers.scores import run


def darker(share):
    return GreyMap("affine", np.rint(share * np.arange(256)).astype(np.uint8), 4)


@pytest.fixture
def folders(tmp_path):
    """Maps of two methods on one noise, of one of them on another, and a noise without a map."""
    for noise, methods in {"gaussian": ("noisy", "nlm"), "speckle": ("nlm",), "poisson": ()}.items():
        (tmp_path / noise).mkdir()
        (tmp_path / noise / "nlm.json").write_text("{}")
        for method in methods:
            write_grey_map(tmp_path / noise / f"{method}_grey_map.json", darker(0.5 if method == "nlm" else 0.8))
    return [tmp_path / noise for noise in ("speckle", "gaussian", "poisson")]


def words_of(picture):
    """The text in an .svg file; Matplotlib writes each of its lines as a comment."""
    return " | ".join(re.findall(r"<!-- (.*) -->", picture.read_text()))


def test_there_is_a_panel_for_each_noise_with_a_line_for_each_method(folders):
    maps = read_grey_maps(folders)
    assert {noise: set(found) for noise, found in maps.items()} == {"gaussian": {"noisy", "nlm"}, "speckle": {"nlm"}}
    axes = draw_grey_maps(maps, Labels()).axes
    assert [axis.get_title() for axis in axes] == ["Gauss.", "Speckle Noise"]
    diagonal, *lines = (line.get_xydata() for line in axes[1].lines)
    np.testing.assert_array_equal(diagonal, [[0, 0], [255, 255]])
    assert len(lines) == 1
    np.testing.assert_array_equal(lines[0], np.stack([np.arange(256), darker(0.5).levels], axis=1))


def test_a_method_looks_the_same_in_every_panel(folders):
    gaussian, speckle = draw_grey_maps(read_grey_maps(folders), Labels()).axes
    by_levels = {line.get_ydata()[-1]: line for line in gaussian.lines if len(line.get_ydata()) == 256}
    nlm = by_levels[darker(0.5).levels[-1]]
    assert (nlm.get_color(), nlm.get_linestyle()) == (speckle.lines[-1].get_color(), speckle.lines[-1].get_linestyle())


def test_dpir_and_the_two_methods_with_the_largest_changes_are_in_colour_and_others_in_grey():
    # A share of the grey levels changes them by 127.5 times what it lacks to 1, on average.
    shares = {"noisy_grey_map": 0.1, "dpir": 0.95, "bilateral": 0.9, "nlm": 0.5, "wavelet": 0.7, "wiener": 0.8}
    maps = {"gaussian": {method: darker(share) for method, share in shares.items()}, "poisson": {"bilateral": darker(0.7)}}
    methods = Labels().methods(shares)
    assert coloured(maps, methods) == ["dpir", "nlm", "wavelet"]
    styles = line_styles(methods, coloured(maps, methods))
    assert styles["noisy_grey_map"]["color"] == "black"
    assert styles["bilateral"] == styles["wiener"] == OTHER_STYLE
    assert len({(styles[method]["color"], styles[method]["linestyle"]) for method in ("dpir", "nlm", "wavelet")}) == 3
    figure = draw_grey_maps(maps, Labels())
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "Noisy, map", "DPIR", "NL Mean.", "Wave. Den.", "others",
    ]  # fmt: skip
    assert "In colour: DPIR and the two methods" in " ".join(figure.get_supxlabel().split())


def test_the_legend_has_the_labels_and_the_order_of_the_tables(folders):
    legend = draw_grey_maps(read_grey_maps(folders), Labels({"nlm": "Mine"})).legends[0]
    assert [text.get_text() for text in legend.get_texts()] == ["Noisy", "Mine"]


def test_the_command_draws_the_maps_of_a_data_set(folders):
    picture = folders[0].parent / "maps.svg"
    run("grey-map-figure", picture, *folders, "--dataset", "lidc")
    text = words_of(picture)
    assert "LIDC: grey maps" in text and "Gauss." in text and "Speckle" in text and "Poisson" not in text


def test_a_folder_without_maps_is_refused(folders, tmp_path):
    with pytest.raises(InputError, match="There is no grey map"):
        grey_map_figure(tmp_path / "none.svg", folders[2:], "lits")


def test_what_cannot_be_drawn_is_named(folders, tmp_path):
    with pytest.raises(InputError, match="none is not a folder"):
        grey_map_figure(tmp_path / "m.png", [tmp_path / "none"])
    with pytest.raises(InputError, match="Two folders are named gaussian"):
        grey_map_figure(tmp_path / "m.png", [folders[1], folders[1]])
    with pytest.raises(InputError, match=r"m.txt is not a picture"):
        grey_map_figure(tmp_path / "m.txt", folders)
    (folders[1] / "nlm_grey_map.json").write_text("{}")
    with pytest.raises(InputError, match="is not a grey map"):
        grey_map_figure(tmp_path / "m.png", folders)


def test_lettering_is_at_least_11_pixels_high_in_the_report():
    maps = {f"noise{number:02d}": {"noisy": darker(0.5)} for number in range(13)}
    figure = draw_grey_maps(maps, Labels(), "LIDC", "A note.")
    texts = [text for axis in figure.axes for text in (*axis.get_xticklabels(), *axis.get_yticklabels(), axis.title)]
    shown = PAGE_PIXELS / (72 * figure.get_figwidth())  # pixels of a point
    assert min(text.get_fontsize() for text in [*texts, *figure.legends[0].get_texts()]) * shown >= LEAST_PIXELS

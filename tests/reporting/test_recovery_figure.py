import re

import numpy as np
import pytest
from matplotlib import colormaps
from matplotlib.colors import to_rgb
from PIL import Image

from fplbench.cli.lesion_figures import recovery_figure as recovery_command
from fplbench.errors import InputError
from fplbench.files import write_csv
from fplbench.reporting.labels import Labels
from fplbench.reporting.lesion_scores import LesionScores, read_lesion_scores
from fplbench.reporting.lettering import LEAST_PIXELS, PAGE_PIXELS
from fplbench.reporting.numbered_cells import luminance
from fplbench.reporting.recovery_figure import COLOURS, draw_recoveries, recovery_figure, recovery_matrix
from fplbench.reporting.scores import NoiseScores
from tests.helpers.scores import run, write_config

SCORES = ("rmse", "psnr", "ssim", "contrast_recovery", "recovery_error", "cnr", "bias")


def row(method, image, lesion, patient, recovery, inserted=0):
    return {
        "method": method, "image_id": image, "lesion": 1, "lesion_id": lesion, "patient": patient, "kind": "nodule",
        "shape": "mask", "inserted": inserted, "pixels": 9, **dict.fromkeys(SCORES, "1"), "contrast_recovery": recovery,
    }  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    """Lesion scores of two methods: two annotated lesions of one patient and one of another on two noises, an inserted on one."""
    for noise, factor in (("gaussian", 1.0), ("speckle", 0.5)):
        rows = []
        for method, kept in (("noisy", 1.0), ("fpl", 0.8)):
            values = [("i0", "a", "p0", 1.0), ("i1", "a", "p0", 0.6), ("i1", "b", "p0", 0.4), ("i2", "c", "p1", 0.2)]
            rows += [row(method, *names, factor * kept * value) for *names, value in values]
            rows += [row(method, "i3", "d", "p1", "")]
            rows += [row(method, "x", "s", "p0", kept / 2, inserted=1)] if noise == "gaussian" else []
        write_csv(tmp_path / f"{noise}.csv", rows)
    return tmp_path


def scores(values, metric="contrast_recovery"):
    """Scores of one lesion by method."""
    blocks = {metric: NoiseScores(("a",), ("a",), {metric: {name: np.array([value]) for name, value in values.items()}})}
    return LesionScores("lesion", 1, 1, 1, 0, blocks=blocks)


def words_of(picture):
    """The text in an .svg file; Matplotlib writes each of its lines as a comment."""
    return " | ".join(re.findall(r"<!-- (.*) -->", picture.read_text())).replace("\xa0", " ")


def test_cells_are_means_over_images_of_a_lesion_then_lesions_of_a_patient_then_patients(folder):
    found = read_lesion_scores(folder, ["gaussian", "speckle"])
    matrix = recovery_matrix(found, ["noisy", "fpl", "nlm"], ["speckle", "gaussian"])
    mean = ((0.8 + 0.4) / 2 + 0.2) / 2
    np.testing.assert_allclose(matrix, [[mean / 2, mean], [0.4 * mean, 0.8 * mean], [np.nan, np.nan]])


def test_inserted_lesions_are_beside_the_annotated_ones(folder):
    recovery_figure(folder / "r.svg", folder, ["gaussian", "speckle", "poisson"], "lidc", "A note")
    text = words_of(folder / "r.svg")
    assert "4 annotated | lesions in | 4 images of | 2 patients" in text
    assert "1 inserted | lesion in | 1 image of | 1 patient" in text
    assert "LIDC: contrast recovery of lesions" in text
    assert "Noisy | FPL | 0.40 | 0.20 | 0.32 | 0.16 |" in text  # means as above
    assert "| 0.50 | 0.40 |" in text
    assert (text.count("Gauss."), text.count("Speckle Noise"), text.count("Poisson")) == (2, 1, 0)
    assert "1 outline of annotated lesions. A | note." in text


def test_rows_and_columns_have_the_labels_and_the_order_of_the_tables():
    found = {"speckle": scores({"nlm": 1, "fpl": 1, "noisy": 1}), "gaussian": scores({"noisy": 1})}
    axes = draw_recoveries({"annotated": found}, Labels({"nlm": "Mine"})).axes[0]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["Noisy", "FPL", "Mine"]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["Gauss.", "Speckle Noise"]


def test_numbers_are_in_their_cells_with_a_dash_where_there_is_none():
    found = {"gaussian": scores({"noisy": 0.994, "fpl": -0.126}), "speckle": scores({"noisy": 1.5})}
    figure = draw_recoveries({"annotated": found}, Labels())
    placed = {(text.get_position()[1], text.get_position()[0]): text.get_text() for text in figure.axes[0].texts}
    assert placed == {(0, 0): "0.99", (0, 1): "1.50", (1, 0): "−0.13", (1, 1): "–"}


def test_colours_run_from_gone_to_twice_the_contrast_with_a_light_middle_at_one():
    picture = (
        draw_recoveries({"annotated": {"gaussian": scores({"noisy": 3.0, "fpl": -1.0, "nlm": 1.0})}}, Labels()).axes[0].images[0]
    )
    assert (picture.norm.vmin, picture.norm.vmax) == (0, 2)
    assert luminance(picture.to_rgba(1.0)) > 0.85
    assert picture.to_rgba(0.0) == colormaps[COLOURS](0) and picture.to_rgba(2.0) == colormaps[COLOURS](255)


def test_luminance_is_that_of_the_wcag():
    assert luminance((1, 1, 1)) == pytest.approx(1)
    assert luminance((0, 0, 0)) == 0
    assert luminance((1, 0, 0)) == pytest.approx(0.2126)
    # The lightest grey that passes level AA on white.
    assert 1.05 / (luminance(to_rgb("#767676")) + 0.05) == pytest.approx(4.54, abs=0.01)


def test_every_number_can_be_read_on_its_colour():
    values = {f"m{i:03d}": value for i, value in enumerate(np.linspace(-0.5, 2.5, 61))}
    figure = draw_recoveries({"annotated": {"gaussian": scores(values)}}, Labels())
    picture = figure.axes[0].images[0]
    for text, value in zip(figure.axes[0].texts, values.values(), strict=True):
        light, dark = sorted((luminance(to_rgb(text.get_color())), luminance(picture.to_rgba(value))), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5  # level AA of the WCAG


def test_nothing_is_said_about_patients_where_they_are_not_known(folder):
    (folder / "sampling.json").write_text('{"persons_known": false}')
    run("recovery-figure", folder / "r.svg", folder, "--noises", "gaussian", "--sampling", folder / "sampling.json")
    assert "4 annotated | lesions in | 4 images |" in words_of(folder / "r.svg")
    assert "patient" not in words_of(folder / "r.svg")


def test_without_scores_the_picture_is_a_sentence(folder):
    recovery_figure(folder / "r.png", folder, ["poisson"], "lits")
    assert Image.open(folder / "r.png").height < 150
    recovery_figure(folder / "r.svg", folder, ["poisson"], "lits")
    assert "LiTS: no test image has a lesion whose contrast could be scored." in words_of(folder / "r.svg")


def test_the_command_shows_the_noises_of_the_config(folder):
    config = write_config(folder / "config.json", datasets=["lidc"], noises=["speckle"], note="One note")
    run("recovery-figure", folder / "r.svg", folder, "--config", config, "--dataset", "lidc")
    text = words_of(folder / "r.svg")
    assert "One note." in text and "Speckle" in text and "Gauss." not in text
    run("recovery-figure", folder / "r.svg", folder)
    assert "Speckle" in words_of(folder / "r.svg") and "Gauss." in words_of(folder / "r.svg")


def test_a_noise_without_scores_is_named(folder):
    with pytest.raises(InputError, match=r"has no scores of 'gausian': there is no file gausian.csv"):
        recovery_command(folder / "r.svg", folder, noises=["gausian"])


def test_a_name_without_a_picture_format_is_refused(folder):
    with pytest.raises(InputError, match=r"r.txt is not a picture"):
        recovery_figure(folder / "r.txt", folder, ["gaussian"])


@pytest.mark.parametrize("number", [1, 13])
def test_lettering_is_at_least_11_pixels_high_in_the_report(number):
    found = {f"noise{i:02d}": scores({"noisy": 1.0, "fpl": 0.5}) for i in range(number)}
    figure = draw_recoveries({"annotated": found, "inserted": found}, Labels(), note="A note.")
    axis = figure.axes[0]
    texts = [*axis.texts, *axis.get_xticklabels(), *axis.get_yticklabels(), axis.title]
    shown = PAGE_PIXELS / (72 * figure.get_figwidth())  # pixels of a point
    assert min(text.get_fontsize() for text in texts) * shown >= LEAST_PIXELS - 1e-9

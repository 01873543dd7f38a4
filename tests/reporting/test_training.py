import numpy as np
import pytest
from PIL import Image

from fplbench.errors import InputError
from fplbench.reporting.labels import Labels
from fplbench.reporting.training import draw_training, log_names, log_title, read_log, training_figure
from tests.helpers.scores import run, write_config

LOG = (
    "step,loss_residual,loss_feature,gradient_norm_residual,learning_rate,validation_psnr,images_per_second,peak_memory_mb\n"
    "10,5.0,nan,1.5,0.001,,20,300\n20,2.5,0.125,1.0,0.0005,28.5,21,300\n"
)


def test_a_log_is_read_by_column_with_unmeasured_terms_as_nan(tmp_path):
    (tmp_path / "fpl.csv").write_text(LOG)
    log = read_log(tmp_path / "fpl.csv")
    np.testing.assert_array_equal(log["step"], [10, 20])
    np.testing.assert_array_equal(log["loss_feature"], [np.nan, 0.125])
    np.testing.assert_array_equal(log["validation_psnr"], [np.nan, 28.5])


def logs_in(folder, **texts):
    """Logs by name, read from files with these texts."""
    for name, text in texts.items():
        (folder / f"{name}.csv").write_text(text)
    return {name: read_log(folder / f"{name}.csv") for name in texts}


def lines_of(figure, title):
    """The lines in the panel with a title."""
    (axis,) = [axis for axis in figure.axes if axis.get_title() == title]
    return axis.lines


def test_logs_are_drawn_over_each_other_with_all_that_was_measured(tmp_path):
    figure = draw_training(logs_in(tmp_path, lidc=LOG, b=LOG.replace("2.5", "-2.5")))
    loss = lines_of(figure, "Loss")
    assert len(loss) == 4  # two terms of two logs
    np.testing.assert_array_equal(loss[0].get_xydata(), [[20, 0.125]])  # the feature loss was measured once
    np.testing.assert_array_equal(loss[1].get_xydata(), [[10, 5], [20, 2.5]])
    assert loss[0].axes.get_yscale() == "linear"  # as a value is negative
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "LIDC (28.50 dB in validation)", "b (28.50 dB in validation)", "feature", "residual",
    ]  # fmt: skip


def test_validation_has_a_panel_where_it_was_scored_twice_and_is_in_the_legend_where_it_was_scored_once(tmp_path):
    title = "PSNR of validation images (dB)"
    once = draw_training(logs_in(tmp_path, a=LOG))
    assert title not in [axis.get_title() for axis in once.axes]
    assert once.legends[0].get_texts()[0].get_text() == "a (28.50 dB in validation)"
    twice = draw_training(logs_in(tmp_path, a=LOG, b=LOG + "30,2.5,0.1,1.0,0.0005,29.5,21,300\n"))
    first, second = lines_of(twice, title)
    assert first.get_xydata().tolist() == [[20, 28.5]] and first.get_marker() not in ("", "None", None)
    assert second.get_xydata().tolist() == [[20, 28.5], [30, 29.5]]
    assert [text.get_text() for text in twice.legends[0].get_texts()][:2] == ["a", "b"]


def test_the_title_has_the_method_and_the_noise_that_all_logs_share():
    assert log_title(["m/lidc/gaussian/fpl.csv", "m/lits/gaussian/fpl.csv"], Labels()) == "FPL, Gaussian Noise"
    assert log_title(["m/lidc/gaussian/fpl.csv", "m/lidc/poisson/fpl.csv"], Labels()) == "FPL"
    assert log_title(["m/gaussian/fpl.csv", "m/gaussian/dpir.csv"], Labels()) == "Gaussian Noise"


def test_the_command_writes_the_note_and_the_labels_of_the_config(tmp_path):
    logs_in(tmp_path, fpl=LOG)
    config = write_config(tmp_path / "config.json", note="One patient.", methods={"fpl": {"label": "Mine"}})
    run("training-figure", tmp_path / "log.svg", tmp_path / "fpl.csv", "--config", config)
    text = (tmp_path / "log.svg").read_text()
    assert "<!-- One patient. -->" in text and "<!-- Mine -->" in text


def test_logs_differ_in_colour_and_marker_and_terms_in_the_dashes(tmp_path):
    loss = lines_of(draw_training(logs_in(tmp_path, **{f"m{number:02d}": LOG for number in range(30)})), "Loss")
    assert len({(line.get_color(), line.get_marker()) for line in loss}) == 30
    assert len({line.get_linestyle() for line in loss}) == 2


def test_what_no_log_has_measured_has_no_panel(tmp_path):
    figure = draw_training(logs_in(tmp_path, a="step,loss_squared,validation_psnr\n10,1.5,\n"))
    assert [axis.get_title() for axis in figure.axes if axis.axison] == ["Loss"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a"]


def test_the_figure_is_written(tmp_path):
    logs_in(tmp_path, a=LOG)
    training_figure(tmp_path / "log.png", [tmp_path / "a.csv"])
    assert Image.open(tmp_path / "log.png").format == "PNG"


def test_logs_are_named_by_what_tells_them_apart():
    assert log_names(["m/lidc/gaussian/fpl.csv", "m/lits/gaussian/fpl.csv"]) == ["lidc", "lits"]
    assert log_names(["m/lidc/gaussian/fpl.csv", "m/lits/poisson/fpl.csv"]) == ["lidc/gaussian", "lits/poisson"]
    assert log_names(["m/fpl.csv", "m/dncnn.csv"]) == ["fpl", "dncnn"]
    assert log_names(["m/fpl.csv"]) == ["fpl"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has no column 'step'"),
        ("a,b\n1,2\n", "has no column 'step'"),
        ("step,loss_a\n", "is not a training log: it has no rows"),
        ("step,loss_a\n10,x\n", "is not a training log: .*'x'"),
        ("step,loss_a\n10\n", "line 2"),
        ("step,a\n10,1\n", "there are no losses"),
    ],
)
def test_what_is_not_a_log_is_refused(tmp_path, text, words):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(InputError, match=rf"a(.csv)?.*{words}"):
        training_figure(tmp_path / "log.png", [tmp_path / "a.csv"])

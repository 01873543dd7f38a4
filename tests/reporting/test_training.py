import numpy as np
import pytest
from PIL import Image

from fplbench.errors import InputError
from fplbench.reporting.training import log_names, read_log, training_figure

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


def test_logs_are_drawn_over_each_other(tmp_path):
    (tmp_path / "a.csv").write_text(LOG)
    (tmp_path / "b.csv").write_text(LOG.replace("2.5", "-2.5"))
    training_figure(tmp_path / "log.png", [tmp_path / "a.csv", tmp_path / "b.csv"])
    assert Image.open(tmp_path / "log.png").width == 1950


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
    ],
)
def test_what_is_not_a_log_is_refused(tmp_path, text, words):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(InputError, match=rf"a.csv.*{words}"):
        training_figure(tmp_path / "log.png", [tmp_path / "a.csv"])

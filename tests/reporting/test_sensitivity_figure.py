import numpy as np
import pytest

from fplbench.errors import InputError
from fplbench.explaining.sensitivity import IMAGE, Change, Shown
from fplbench.reporting.sensitivity_figure import draw_sensitivity, sensitivity_figure

NAMES = (IMAGE, "guided", "grad_cam")


def change(mean):
    values = np.array([mean / 2, 3 * mean / 2, np.nan])
    return Change(values, values, values)


def found():
    keys = [("gaussian", "noisy"), ("poisson", "noisy"), ("gaussian", "denoised")]
    return {(*key, name): change(0.1 * (1 + number)) for key in keys for number, name in enumerate(NAMES)}


def shown(states=3):
    draw = np.random.default_rng(0)
    return Shown("gaussian", {name: list(draw.normal(size=(states, 12, 16))) for name in NAMES})


def test_maps_have_a_symmetric_scale_for_each_column_and_images_that_of_grey_levels():
    panels = [axis.images[0] for axis in draw_sensitivity(found(), shown()).axes if axis.images]
    limits = np.reshape([picture.get_clim() for picture in panels], (3, 3, 2))
    assert (limits == limits[0]).all()
    np.testing.assert_allclose(limits[0][:, 0], [0, -limits[0][1, 1], -limits[0][2, 1]])
    assert len(set(limits[0][:, 1].tolist())) == 3


def test_rows_and_columns_are_named():
    axes = [axis for axis in draw_sensitivity(found(), shown()).axes if axis.images]
    assert [axis.get_ylabel() for axis in axes[::3]] == ["clean", "Gaussian Noise", "denoised"]
    assert [axis.get_title().partition("\n")[0] for axis in axes[:3]] == [IMAGE, "guided", "grad cam"]


def test_bars_are_mean_changes_and_lines_those_of_the_image():
    noisy, denoised = [axis for axis in draw_sensitivity(found(), shown()).axes if axis.patches]
    assert [label.get_text() for label in denoised.get_xticklabels()] == ["Gaussian Noise", "Poisson Noise"]
    np.testing.assert_allclose([bar.get_height() for bar in noisy.patches], [0.2, 0.2, 0.3, 0.3])
    np.testing.assert_allclose([bar.get_height() for bar in denoised.patches], [0.2, np.nan, 0.3, np.nan])
    np.testing.assert_allclose([line.get_ydata() for line in noisy.lines], np.full((2, 2), 0.1))
    np.testing.assert_allclose([line.get_ydata() for line in denoised.lines], [[0.1, 0.1], [np.nan, np.nan]])


def test_noises_without_denoised_images_have_one_row_of_bars():
    noisy = {key: value for key, value in found().items() if key[1] == "noisy"}
    assert sum(bool(axis.patches) for axis in draw_sensitivity(noisy, shown(2)).axes) == 1


def test_the_picture_is_written_and_its_ending_checked(tmp_path):
    sensitivity_figure(tmp_path / "figure.png", found(), shown())
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(InputError, match="is not a picture"):
        sensitivity_figure(tmp_path / "figure.doc", found(), shown())

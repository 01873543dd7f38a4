"""The calibration finds known levels, and its pages state what the numbers show."""

import math
from dataclasses import replace

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from fplbench import published
from fplbench.calibration import Calibration, Comparison, FilterFit, Scene, read_scene, reports
from fplbench.calibration.fit import calibrate, fit_filter, fit_level
from fplbench.calibration.scenes import METRICS
from fplbench.calibration.search import FILTERS, FIXED, LEVELS, Dimension, candidates
from fplbench.cli import app
from fplbench.errors import InputError
from fplbench.noise import NOISES
from fplbench.registry import parse_options
from fplbench.stacks import write_stack


class KnownScene(Scene):
    """A scene whose "published" scores come from known levels and filters."""

    def target(self, noise, method, metric):
        if noise not in self.truth or method not in FILTERS:
            return None
        if (noise, method) not in self._known:
            noisy = self.noisy(noise, self.truth[noise], seed=99)
            self._known[noise, method] = self.scores(noisy, method, self.true_filters.get(method, {}))
        return self._known[noise, method][metric]

    def __post_init__(self):
        super().__post_init__()
        self.truth, self.true_filters, self._known = {}, {}, {}


@pytest.fixture
def scene():
    y, x = np.mgrid[:64, :64] / 64
    shapes = [(0.4 + 0.3 * np.sin(9 * x + k)) * (np.hypot(x - 0.5, y - 0.5) < 0.4) + 0.1 for k in range(3)]
    return KnownScene("lidc", np.rint(np.stack(shapes) * 255).astype(np.uint8), ["a", "b", "c"])


def test_a_known_level_is_found(scene):
    scene.truth = {"gaussian": {"sigma": 0.07}}
    level = fit_level([scene], "gaussian", metrics=("psnr_uint8", "ssim"), seed=1, evaluations=25)
    assert level["sigma"] == pytest.approx(0.07, rel=0.05)


def test_a_known_filter_is_found(scene):
    scene.truth = {"gaussian": {"sigma": 0.07}, "speckle": {"sigma": 0.2}}
    scene.true_filters = {"mean_filter": {"size": 5}}
    found = fit_filter([scene], scene.truth, "mean_filter", seed=1)
    assert found.options == {"size": 5}
    assert found.distance < 0.2 < found.default_distance
    found = fit_filter([scene], scene.truth, "median_filter", seed=1)
    assert found.options == {"size": 3}
    assert found.distance == found.default_distance


@pytest.mark.slow
def test_calibrate_fits_published_noises_and_compares_all_baselines(scene):
    scene.truth = {"salt_pepper": {"density": 0.05}, "gaussian": {"sigma": 0.07}}
    found = calibrate([scene], seed=1, noises=["salt_pepper", "gaussian", "rician"], evaluations=12, repeats=2, threads=2)
    assert list(found.levels) == ["salt_pepper", "gaussian"]
    assert found.levels["salt_pepper"]["density"] == pytest.approx(0.05, rel=0.25)
    assert {row.method for row in found.comparisons} == {"noisy", *FILTERS}
    assert {row.fit for row in found.comparisons} == {"both", "ssim"}
    assert set(found.spread) == {"salt_pepper", "gaussian"}
    low, high = found.spread["gaussian"]["sigma"]
    assert low <= found.levels["gaussian"]["sigma"] <= high < 1.1 * low
    again = calibrate([scene], seed=1, noises=["salt_pepper", "gaussian", "rician"], evaluations=12, repeats=2, threads=1)
    assert again == found


def test_every_published_noise_is_fitted_within_its_options():
    assert set(LEVELS) == {entry.noise for entry in published.tables()}
    for noise, dimensions in LEVELS.items():
        for end in (0, 1):
            values = {**FIXED.get(noise, {}), **{name: each.value(end) for name, each in dimensions.items()}}
            parse_options(NOISES[noise].options, values, noise)


def test_a_dimension_spans_its_bounds():
    assert [Dimension(0.01, 1).value(unit) for unit in (0, 0.5, 1)] == [0.01, 0.1, 1]
    assert Dimension(0, 3, logarithmic=False).value(0.5) == 1.5
    assert Dimension(1, 32, whole=True).value(0.5) == round(math.sqrt(32))


def test_values_near_the_ends_of_a_dimension_are_named():
    size = Dimension(0.01, 1)
    assert [size.end(value) for value in (0.012, 0.1, 0.85)] == ["lower", "", "upper"]
    assert Dimension(0, 3, logarithmic=False).end(0.3) == ""


def test_a_fit_to_ssim_alone_fixes_no_option(scene):
    scene.truth = {"structured": {"amplitude": 0.1, "offset": 0}}
    fits = {metrics: fit_level([scene], "structured", metrics=metrics, seed=1, evaluations=1) for metrics in [("ssim",), METRICS]}
    assert set(fits["ssim",]) == {"amplitude", "offset"}
    assert set(fits[METRICS]) == {"frequency", "amplitude", "offset"}


def test_candidates_are_all_combinations():
    assert len(candidates("bilateral")) == 2 * 5 * 2
    assert {"size": 7} in candidates("wiener")


def test_a_scene_has_images_from_the_whole_stack_and_the_window(tmp_path):
    images = np.arange(10, dtype=np.uint8)[:, None, None] * np.ones((8, 8), np.uint8)
    rows = [
        {"image_id": f"i{k}", "patient": "p", "source": "s", "slice": k, "window_low": -160, "window_high": 240}
        for k in range(10)
    ]
    write_stack(tmp_path / "c.npy", images, rows)
    scene = read_scene("lits", tmp_path / "c.npy", 4)
    assert [int(image[0, 0]) for image in scene.clean] == [0, 3, 6, 9]
    assert scene.noise_options == {"window": (-160.0, 240.0)}
    assert scene.target("gaussian", "median_filter", "ssim") == 0.59
    assert scene.target("gaussian", "median_filter", "psnr_uint8") == 32.01
    with pytest.raises(InputError, match="'own', only for lidc, lits, rsna"):
        read_scene("own", tmp_path / "c.npy", 4)


def comparison(method, metric, ours, theirs, fit="both", noise="gaussian"):
    return Comparison(fit, "lidc", noise, method, metric, ours, theirs)


@pytest.fixture
def calibration():
    rows = [
        comparison("mean_filter", "psnr_uint8", 31.0, 31.1),
        comparison("mean_filter", "ssim", 0.50, 0.55),
        comparison("median_filter", "psnr_uint8", 31.0, 31.37),
        comparison("median_filter", "ssim", 0.44, 0.55),
    ]
    level = {"gaussian": {"sigma": 0.08}}
    spread = {"gaussian": {"sigma": (0.07, 0.09)}}
    filters = {"mean_filter": FilterFit({"size": 3}, 1.25, 2.0)}
    return Calibration(level, spread, {"lidc": level}, level, filters, rows, {"lidc": 2})


def test_deviation_is_the_median_over_the_baselines(calibration):
    deviation = reports.deviations(calibration.comparisons, "both", "lidc", "gaussian")
    assert deviation == pytest.approx({"psnr_uint8": 0.235, "ssim": 0.08})
    assert reports.verdict(deviation) == "wrapped PSNR only"


def test_the_fragment_is_yaml_with_the_levels(calibration):
    text = reports.fragment(calibration)
    assert yaml.safe_load(text) == {"noises": {"gaussian": {"sigma": 0.08}}, "methods": {"mean_filter": {"size": 3}}}
    assert "lidc SSIM 0.08, 0.2 dB, wrapped PSNR only; sigma 0.07 to 0.09 over seeds" in text
    assert "mean_filter: {size: 3}  # 1.25, default 2.00" in text


def test_a_level_at_a_bound_is_named(calibration):
    stopped = replace(calibration, levels={"gaussian": {"sigma": 0.49}}, spread={"gaussian": {"sigma": (0.49, 0.49)}})
    assert "wrapped PSNR only; sigma at its upper bound" in reports.fragment(stopped)
    assert "| sigma at its upper bound |" in reports.report(stopped)


def test_the_report_lists_what_is_not_matched_and_the_residuals(calibration, tmp_path):
    reports.write(calibration, tmp_path)
    text = (tmp_path / "report.md").read_text()
    assert "- wrapped PSNR only: Gaussian Noise (lidc)." in text
    assert "| -0.1 -0.05 |" in text and "| -0.4 -0.11 |" in text
    assert (tmp_path / "comparisons.csv").read_text().splitlines()[1] == "both,lidc,gaussian,mean_filter,psnr_uint8,31.0,31.1"


def test_stacks_without_a_data_set_are_refused(tmp_path):
    result = CliRunner().invoke(app, ["calibrate", str(tmp_path), "clean.npy"])
    assert isinstance(result.exception, InputError)
    assert "lidc=clean.npy" in str(result.exception)

import csv
import json

import numpy as np
import pytest
from typer.testing import CliRunner

from fplbench import scoring
from fplbench.cli import app
from fplbench.denoising.tuning import candidates, tune, tune_files
from fplbench.errors import InputError
from fplbench.methods import METHODS, denoise
from fplbench.registry import parse_options
from fplbench.stacks import write_stack


@pytest.fixture(scope="module")
def pair():
    """A smooth scene, and the scene under strong noise."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:64, :64]
    clean = np.stack([128 + 80 * np.sin(rows / (8 + k)) * np.cos(columns / 9) for k in range(6)])
    noisy = clean + 40 * rng.standard_normal(clean.shape)
    return tuple(np.clip(np.rint(images), 0, 255).astype(np.uint8) for images in (clean, noisy))


def test_the_choice_is_the_best_of_all_combinations(pair):
    clean, noisy = pair
    chosen, search = tune("gaussian_filter", clean, noisy, {})
    means = {}
    for size in (3, 5, 7, 11):
        for sigma in (0.5, 0.8, 1.2, 1.8, 2.5):
            means[size, sigma] = scoring.psnr(clean, denoise("gaussian_filter", noisy, size=size, sigma=sigma)).mean()
    assert (chosen["size"], chosen["sigma"]) == max(means, key=means.get)
    assert len(search) == len(means)
    assert [row["psnr"] for row in search if row["chosen"]] == [pytest.approx(max(means.values()), rel=1e-12)]


def test_ssim_can_be_the_criterion(pair):
    _, search = tune("median_filter", *pair, {}, criterion="ssim")
    assert max(search, key=lambda row: row["ssim"])["chosen"] == 1


def test_an_option_that_is_given_is_kept_and_not_searched(pair):
    chosen, search = tune("gaussian_filter", *pair, {"sigma": 0.6})
    assert chosen["sigma"] == 0.6
    assert sorted(row["size"] for row in search) == ["11", "3", "5", "7"]


def test_where_options_make_no_difference_the_defaults_are_chosen():
    black = np.zeros((2, 16, 16), np.uint8)
    chosen, _ = tune("bilateral", black, black, {})
    defaults = METHODS["bilateral"].options()
    assert chosen == {key: getattr(defaults, key) for key in METHODS["bilateral"].grid}


def test_images_are_spread_over_the_stack(pair):
    clean, noisy = pair
    _, search = tune("noisy", clean, noisy, {}, images=3)
    assert search[0]["psnr"] == pytest.approx(scoring.psnr(clean[[0, 2, 5]], noisy[[0, 2, 5]]).mean())
    assert search[0]["images"] == 3


@pytest.mark.parametrize("name", METHODS)
def test_every_combination_of_a_declared_grid_is_valid_and_tried_once(name):
    method = METHODS[name]
    tried = list(candidates(method, {}))
    assert len({json.dumps(values) for values in tried}) == len(tried)
    assert parse_options(method.options, tried[0], name) == method.options()
    for values in tried:
        parse_options(method.options, values, name)


def test_command_writes_options_that_denoise_takes(pair, tmp_path):
    clean, noisy = pair
    index = [{"image_id": k, "patient": "p", "source": "s", "slice": k} for k in range(len(clean))]
    write_stack(tmp_path / "clean.npy", clean, index)
    write_stack(tmp_path / "noisy.npy", noisy, index)
    files = {name: str(tmp_path / name) for name in ("clean.npy", "noisy.npy", "mean.json", "search.csv", "denoised.npy")}
    command = ["tune", "mean_filter", files["clean.npy"], files["noisy.npy"], files["mean.json"]]
    assert CliRunner().invoke(app, [*command, "--search", files["search.csv"]]).exit_code == 0
    command = [
        "denoise",
        "mean_filter",
        files["noisy.npy"],
        files["denoised.npy"],
        "--options-file",
        files["mean.json"],
    ]
    assert CliRunner().invoke(app, command).exit_code == 0
    chosen = json.loads((tmp_path / "mean.json").read_text())
    np.testing.assert_array_equal(np.load(tmp_path / "denoised.npy"), denoise("mean_filter", noisy, **chosen))
    with open(tmp_path / "search.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["size"] for row in rows if row["chosen"] == "1"] == [str(chosen["size"])]


def test_stacks_that_do_not_match_are_refused(pair, tmp_path):
    clean, noisy = pair
    write_stack(tmp_path / "clean.npy", clean)
    write_stack(tmp_path / "noisy.npy", noisy[:-1])
    with pytest.raises(InputError, match="the shapes must match"):
        tune_files("mean_filter", tmp_path / "clean.npy", tmp_path / "noisy.npy", tmp_path / "o.json", None, {})
    assert not (tmp_path / "o.json").exists()


def test_an_unknown_criterion_is_refused(pair):
    with pytest.raises(InputError, match="psnr, ssim"):
        tune("mean_filter", *pair, {}, criterion="mse")

import csv
import json

import numpy as np
import pytest
from typer.testing import CliRunner

from fplbench import scoring
from fplbench.cli import app
from fplbench.denoising import tuning
from fplbench.denoising.grey_map import fit_grey_map
from fplbench.denoising.tuning import candidates, tune, tune_files
from fplbench.errors import InputError
from fplbench.methods import METHODS, denoise
from fplbench.registry import parse_options
from fplbench.stacks import write_stack
from tests.helpers.scores import run


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
    choice = tune("gaussian_filter", clean, noisy, {})
    means = {}
    for size in (3, 5, 7, 11):
        for sigma in (0.5, 0.8, 1.2, 1.8, 2.5):
            means[size, sigma] = scoring.psnr(clean, denoise("gaussian_filter", noisy, size=size, sigma=sigma)).mean()
    assert (choice.options["size"], choice.options["sigma"]) == max(means, key=means.get)
    assert len(choice.search) == len(means)
    assert [row["psnr"] for row in choice.search if row["chosen"]] == [pytest.approx(max(means.values()), rel=1e-12)]
    assert choice.grey_map is None


def test_ssim_can_be_the_criterion(pair):
    search = tune("median_filter", *pair, {}, criterion="ssim").search
    assert max(search, key=lambda row: row["ssim"])["chosen"] == 1


def test_an_option_that_is_given_is_kept_and_not_searched(pair):
    choice = tune("gaussian_filter", *pair, {"sigma": 0.6})
    assert choice.options["sigma"] == 0.6
    assert sorted(row["size"] for row in choice.search) == ["11", "3", "5", "7"]


def test_where_options_make_no_difference_the_defaults_are_chosen():
    black = np.zeros((2, 16, 16), np.uint8)
    chosen = tune("bilateral", black, black, {}).options
    defaults = METHODS["bilateral"].options()
    assert chosen == {key: getattr(defaults, key) for key in METHODS["bilateral"].grid}


def test_images_are_spread_over_the_stack(pair):
    clean, noisy = pair
    search = tune("noisy", clean, noisy, {}, images=3).search
    assert search[0]["psnr"] == pytest.approx(scoring.psnr(clean[[0, 2, 5]], noisy[[0, 2, 5]]).mean())
    assert search[0]["images"] == 3


@pytest.fixture(scope="module")
def darkened(pair):
    """The scene, and the scene under strong noise at half of its brightness."""
    clean, noisy = pair
    return clean, noisy // 2


def test_each_combination_is_scored_after_its_own_map(darkened):
    clean, noisy = darkened
    choice = tune("mean_filter", clean, noisy, {}, grey_map="monotone")
    for row in choice.search:
        denoised = denoise("mean_filter", noisy, size=int(row["size"]))
        mapped = fit_grey_map(denoised, clean, "monotone").apply(denoised)
        assert row["psnr"] == pytest.approx(scoring.psnr(clean, mapped).mean(), rel=1e-12)
        assert row["ssim"] == pytest.approx(scoring.ssim(clean, mapped).mean(), rel=1e-12)
    best = max(choice.search, key=lambda row: row["psnr"])
    assert best["chosen"] == 1 and json.loads(best["size"]) == choice.options["size"]
    expected = fit_grey_map(denoise("mean_filter", noisy, **choice.options), clean, "monotone")
    np.testing.assert_array_equal(choice.grey_map.levels, expected.levels)


def test_a_map_helps_every_combination_where_the_brightness_is_off(darkened):
    plain = tune("gaussian_filter", *darkened, {})
    mapped = tune("gaussian_filter", *darkened, {}, grey_map="affine")
    for before, after in zip(plain.search, mapped.search, strict=True):
        assert after["psnr"] > before["psnr"]
    assert max(row["psnr"] for row in mapped.search) > max(row["psnr"] for row in plain.search) + 10


@pytest.mark.parametrize("criterion", ["psnr", "ssim"])
def test_a_map_that_lowers_the_criterion_is_not_taken(criterion):
    """Nine faultless images and one without contrast: the least squared error of all costs the nine much of their score."""
    clean = np.repeat(np.tile(np.arange(32) * 8, (32, 1))[None], 10, axis=0).astype(np.uint8)
    noisy = clean.copy()
    noisy[-1] = 255 - clean[-1]
    score = {"psnr": scoring.psnr, "ssim": scoring.ssim}[criterion]
    mapped = fit_grey_map(noisy, clean).apply(noisy)
    assert np.minimum(score(clean, mapped), 100).mean() < np.minimum(score(clean, noisy), 100).mean()
    choice = tune("noisy", clean, noisy, {}, grey_map="monotone", criterion=criterion)
    np.testing.assert_array_equal(choice.grey_map.levels, np.arange(256))


def test_the_method_runs_once_for_each_combination(darkened, monkeypatch):
    calls = []
    monkeypatch.setattr(
        tuning, "denoise", lambda name, noisy, **options: calls.append(options) or denoise(name, noisy, **options)
    )
    tune("mean_filter", *darkened, {}, grey_map="monotone")
    assert len(calls) == len(list(candidates(METHODS["mean_filter"], {})))


def test_a_method_without_a_grid_gets_a_map_alone(darkened):
    clean, noisy = darkened
    choice = tune("noisy", clean, noisy, {}, grey_map="affine")
    assert choice.options == {} and len(choice.search) == 1
    np.testing.assert_array_equal(choice.grey_map.levels, fit_grey_map(noisy, clean, "affine").levels)


def test_without_a_search_the_map_is_that_of_the_options_as_they_are(darkened):
    clean, noisy = darkened
    choice = tune("median_filter", clean, noisy, {"size": 7}, grey_map="monotone", search=False)
    assert choice.options == {"size": 7} and len(choice.search) == 1
    expected = fit_grey_map(denoise("median_filter", noisy, size=7), clean, "monotone")
    np.testing.assert_array_equal(choice.grey_map.levels, expected.levels)


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


def test_commands_write_a_map_and_apply_it(darkened, tmp_path):
    clean, noisy = darkened
    index = [{"image_id": k, "patient": "p", "source": "s", "slice": k} for k in range(len(clean))]
    write_stack(tmp_path / "clean.npy", clean, index)
    write_stack(tmp_path / "noisy.npy", noisy, index)
    files = [tmp_path / name for name in ("clean.npy", "noisy.npy", "mean.json")]
    run("tune", "mean_filter", *files, "--grey-map", "affine", "--map", tmp_path / "map.json")
    chosen = tmp_path / "mean.json"
    stacks = [tmp_path / "noisy.npy", tmp_path / "denoised.npy"]
    run("denoise", "mean_filter", *stacks, "--options-file", chosen, "--grey-map", tmp_path / "map.json")
    denoised = denoise("mean_filter", noisy, **json.loads(chosen.read_text()))
    expected = fit_grey_map(denoised, clean, "affine").apply(denoised)
    np.testing.assert_array_equal(np.load(tmp_path / "denoised.npy"), expected)


def test_a_map_needs_its_kind_and_its_file(pair, tmp_path):
    arguments = ["tune", "mean_filter", *(str(tmp_path / name) for name in ("c.npy", "n.npy", "o.json")), "--grey-map", "affine"]
    assert "give both --grey-map, its kind, and --map" in str(CliRunner().invoke(app, arguments).exception)


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

import csv
import json
import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

from fplbench.cli import app
from fplbench.denoising import groups, running, tuning
from fplbench.denoising.grey_map import read_grey_map
from fplbench.denoising.groups import Tuning, run_group
from fplbench.denoising.tuning import tune_files
from fplbench.errors import InputError
from fplbench.methods import METHODS, Method, denoise
from fplbench.registry import Registry
from fplbench.stacks import open_stack, read_index, write_stack
from tests.helpers.files import names


@pytest.fixture
def folder(tmp_path):
    """A clean and a noisy training stack, and a noisy test stack."""
    random = np.random.default_rng(0)
    rows, columns = np.mgrid[:32, :40]
    clean = np.clip(128 + 80 * np.sin(rows / 7) * np.cos(columns / 9) + np.zeros((6, 1, 1)), 0, 255)
    index = [{"image_id": f"i{k}", "patient": "p", "source": "s", "slice": k} for k in range(6)]
    for name, images in {"clean": clean, "noisy": clean + random.normal(0, 25, clean.shape)}.items():
        write_stack(tmp_path / f"{name}.npy", np.clip(np.rint(images), 0, 255).astype(np.uint8), index)
    write_stack(tmp_path / "test.npy", np.array(open_stack(tmp_path / "noisy.npy"))[::-1], index)
    return tmp_path


def read(path):
    with open(path, newline="") as stream:
        return list(csv.DictReader(stream))


def test_each_method_gives_what_it_gives_alone(folder):
    training = Tuning(folder / "clean.npy", folder / "noisy.npy", folder / "tuned", images=4)
    runs = {
        "noisy": {"method": "noisy"},
        "median_filter": {"method": "median_filter", "tune": True},
        "wide": {"method": "median_filter", "options": {"size": 7}},
    }
    run_group(runs, folder / "test.npy", folder / "denoised", folder / "cost.csv", training)
    test = open_stack(folder / "test.npy")
    files = (folder / "clean.npy", folder / "noisy.npy", folder / "alone.json", None)
    chosen = tune_files("median_filter", *files, {}, images=4).options
    assert json.loads((folder / "tuned" / "median_filter.json").read_text()) == chosen
    expected = {
        "noisy": test,
        "median_filter": denoise("median_filter", test, **chosen),
        "wide": denoise("median_filter", test, size=7),
    }
    for name, images in expected.items():
        np.testing.assert_array_equal(open_stack(folder / "denoised" / f"{name}.npy"), images)
        assert read_index(folder / "denoised" / f"{name}.npy") == read_index(folder / "test.npy")


def test_further_stacks_are_denoised_with_the_same_options_and_map(folder):
    training = Tuning(folder / "clean.npy", folder / "noisy.npy", folder / "tuned", images=4)
    runs = {
        "noisy": {"method": "noisy"},
        "median_filter": {"method": "median_filter", "tune": True, "grey_map": "monotone"},
    }
    noisy = np.array(open_stack(folder / "noisy.npy"))[:2]
    write_stack(folder / "more.npy", noisy, [{"image_id": f"i{k}_more", "patient": "p"} for k in range(2)])
    out, further = folder / "denoised", {"inserted": folder / "more.npy", "validation": folder / "more.npy"}
    run_group(runs, folder / "test.npy", out, folder / "cost.csv", training, further=further)
    chosen = json.loads((folder / "tuned" / "median_filter.json").read_text())
    grey_map = read_grey_map(folder / "tuned" / "median_filter_grey_map.json")
    expected = denoise("median_filter", noisy, grey_map=grey_map, **chosen)
    for ending in further:
        np.testing.assert_array_equal(open_stack(out / f"noisy_{ending}.npy"), noisy)
        np.testing.assert_array_equal(open_stack(out / f"median_filter_{ending}.npy"), expected)
        assert [row["image_id"] for row in read_index(out / f"median_filter_{ending}.npy")] == ["i0_more", "i1_more"]
    assert [row["images"] for row in read(folder / "cost.csv")] == ["6", "6"]  # the cost is that of the test images


def test_a_map_is_fitted_on_training_images_and_applied_to_test_images(folder):
    """Half of the brightness, exactly: the map doubles it."""
    clean, index = np.array(open_stack(folder / "clean.npy")), read_index(folder / "clean.npy")
    for name in ("noisy", "test"):
        write_stack(folder / f"{name}.npy", clean // 2, index)
    training = Tuning(folder / "clean.npy", folder / "noisy.npy", folder / "tuned")
    runs = {kind: {"method": "noisy", "grey_map": kind} for kind in ("monotone", "affine")}
    run_group(runs, folder / "test.npy", folder / "denoised", folder / "cost.csv", training)
    assert sorted(path.name for path in (folder / "tuned").iterdir()) == ["affine_grey_map.json", "monotone_grey_map.json"]
    for kind in runs:
        assert read_grey_map(folder / "tuned" / f"{kind}_grey_map.json").kind == kind
        denoised = open_stack(folder / "denoised" / f"{kind}.npy").astype(int)
        assert np.abs(denoised - clean).max() <= 1


def test_a_map_without_tuning_keeps_the_options(folder):
    training = Tuning(folder / "clean.npy", folder / "noisy.npy", folder / "tuned")
    runs = {"wide": {"method": "median_filter", "options": {"size": 7}, "grey_map": "affine"}}
    run_group(runs, folder / "test.npy", folder / "denoised", folder / "cost.csv", training)
    again = {
        "again": {"method": "median_filter", "options": {"size": 7}, "grey_map_file": str(folder / "tuned/wide_grey_map.json")}
    }
    run_group(again, folder / "test.npy", folder / "denoised", folder / "cost.csv")
    wide = open_stack(folder / "denoised" / "wide.npy")
    grey_map = read_grey_map(folder / "tuned" / "wide_grey_map.json")
    np.testing.assert_array_equal(wide, grey_map.apply(denoise("median_filter", open_stack(folder / "test.npy"), size=7)))
    np.testing.assert_array_equal(open_stack(folder / "denoised" / "again.npy"), wide)


def test_the_cost_of_each_method_is_written(folder):
    runs = {name: {"method": name} for name in ("noisy", "mean_filter")}
    run_group(runs, folder / "test.npy", folder / "denoised", folder / "cost.csv")
    rows = read(folder / "cost.csv")
    assert [row["method"] for row in rows] == ["noisy", "mean_filter"]
    for row in rows:
        assert (row["images"], row["device"]) == ("6", "cpu")
        assert 0 < float(row["seconds"]) < 10


@pytest.fixture
def broken(monkeypatch):
    """Two methods of a registry that is otherwise the real one: one that raises, one that returns half of the images."""

    registry = Registry("method", "fplbench.methods")
    registry._entries = {
        **METHODS,
        "divide": Method("divide", "D", lambda x, o: 1 / 0),
        "halve": Method("halve", "H", lambda x, o: x[:, 1:]),
    }
    registry._loaded = True
    for module in (groups, running, tuning):
        monkeypatch.setattr(module, "METHODS", registry)


@pytest.mark.usefixtures("broken")
def test_methods_that_fail_are_named_and_the_others_run_all_the_same(folder):
    runs = {name: {"method": name} for name in ("divide", "noisy", "halve")}
    with pytest.raises(InputError) as error:
        run_group(runs, folder / "test.npy", folder / "denoised", folder / "cost.csv")
    lines = str(error.value).splitlines()
    assert lines[0] == "The method 'divide' failed: ZeroDivisionError: division by zero"
    assert lines[1].startswith("The method 'halve' failed: ") and "shape" in lines[1]
    assert names(folder / "denoised") == ["noisy.csv", "noisy.npy"]
    assert not (folder / "cost.csv").exists()


@pytest.mark.parametrize(
    ("run", "message"),
    [
        ({"method": "medan_filter"}, "did you mean 'median_filter'"),
        ({"method": "median_filter", "option": {}}, "methods.one.option is not a known key: did you mean 'options'"),
        ({"method": "median_filter", "tune": True}, "it is to be tuned, but no training images are given"),
        ({"method": "noisy", "grey_map": "affine"}, "it is to get a grey map, but no training images are given"),
        ({"method": "noisy", "grey_map": "cubic"}, "methods.one.grey_map is 'cubic'"),
        ({"method": "noisy", "grey_map_file": "none.json"}, "The grey map none.json does not exist"),
        ({"method": "noisy", "grey_map_file": "m.json", "tune": True}, "neither tune nor grey_map can be set"),
        ({"method": "fpl"}, "needs its option weights"),
    ],
)
def test_a_run_that_cannot_be_is_named(folder, run, message):
    with pytest.raises(InputError, match=message):
        run_group({"one": run}, folder / "test.npy", folder / "denoised", folder / "cost.csv")


def test_the_command_runs_a_group(folder):
    runs = json.dumps({"mine": {"method": "gaussian_filter", "tune": True}})
    arguments = ["denoise-group", folder / "test.npy", folder / "out", "--methods", runs, "--cost", folder / "cost.csv"]
    arguments += ["--train-clean", folder / "clean.npy", "--train-noisy", folder / "noisy.npy", "--tuned-dir", folder / "tuned"]
    result = CliRunner().invoke(app, [*map(str, arguments), "--images", "2"])
    assert result.exit_code == 0, result.output
    assert (folder / "out" / "mine.npy").exists() and (folder / "tuned" / "mine.csv").exists()
    incomplete = CliRunner().invoke(app, [*map(str, arguments[:-2])])
    assert "give all three of --train-clean, --train-noisy and --tuned-dir" in str(incomplete.exception)


@pytest.mark.slow
def test_a_group_of_filters_does_not_import_torch(folder):
    runs = {name: {"method": name} for name, method in METHODS.items() if method.group == "filters"}
    script = (
        "import sys, json; from pathlib import Path; from fplbench.denoising.groups import run_group;"
        "noisy, folder, cost, runs = sys.argv[1:]; run_group(json.loads(runs), Path(noisy), Path(folder), Path(cost));"
        "assert 'torch' not in sys.modules"
    )
    paths = (folder / "test.npy", folder / "denoised", folder / "cost.csv")
    subprocess.run([sys.executable, "-c", script, *map(str, paths), json.dumps(runs)], check=True)

"""The same scores whatever the number of cores, the order of the jobs, the folder and its name."""

import csv
import re
import shutil
from collections import Counter
from pathlib import Path

import pytest
import yaml

from tests.chaos.runs import Run, prepare
from tests.helpers.workflow import ROOT

pytestmark = pytest.mark.chaos

TABLES = ("tables/lits.csv", "tables/lits.md")
HOSTILE = "a b'; touch x; \"$(touch y)"


@pytest.mark.parametrize("options", [("--cores", "1"), ("--cores", "2", "--scheduler", "ilp")], ids=" ".join)
def test_the_number_of_cores_and_the_scheduler_change_nothing(tmp_path, undisturbed, options):
    run = Run(prepare(tmp_path / "run"), options)
    run.finish()
    assert run.scores() == undisturbed.scores()


def test_jobs_in_another_order_give_the_same_scores(tmp_path, undisturbed):
    """Methods in reverse order, the tables' rows with them; and by priority, what otherwise comes last."""
    run = Run(prepare(tmp_path / "run"), ("--prioritize", "out/denoised/lits/gaussian/median_filter.npy"))
    path = run.folder / "config.yaml"
    config = yaml.safe_load(path.read_text())
    methods = dict(reversed(config["methods"].items()))
    path.write_text(yaml.safe_dump({**config, "methods": methods}, sort_keys=False))
    run.finish()
    for name in ("scores.csv", "lesion_scores/lits/gaussian.csv", "validation/scores/lits/gaussian.csv"):
        own, expected = (rows_of(each.out / name) for each in (run, undisturbed))
        assert own != expected and Counter(own) == Counter(expected), name


def rows_of(path):
    """The rows of a table, each as its pairs of column and value."""
    with open(path, newline="") as stream:
        return [tuple(sorted(row.items())) for row in csv.DictReader(stream)]


def test_another_directory_gives_the_same_scores(tmp_path, undisturbed):
    prepare(tmp_path / "elsewhere")
    run = Run(tmp_path / "elsewhere", ("--directory", str(tmp_path / "elsewhere")), started_in=tmp_path)
    run.finish()
    assert run.scores() == undisturbed.scores()


def test_spaces_quotes_and_commands_in_names_change_nothing(tmp_path, undisturbed):
    run = Run(prepare(tmp_path / HOSTILE, results=f"out {HOSTILE}", root=f"volumes {HOSTILE}"), results=f"out {HOSTILE}")
    run.finish()
    assert run.scores() == undisturbed.scores()
    assert {path.name for path in tmp_path.rglob("*")}.isdisjoint("xy") and not Path("x").exists()


@pytest.mark.parametrize("size", [1, 5])
def test_the_size_of_chunks_changes_no_image_and_no_score_but_the_last_digits_of_the_error_of_features(
    tmp_path, undisturbed, monkeypatch, size
):
    """A network adds in another order when several images go through it at once, as the explained one does for these errors."""
    copy = tmp_path / "repository"
    for name in ("fplbench", "workflow", "profiles"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Snakefile", copy)
    for name in ("denoising/running", "denoising/grey_map", "noise/synthesis", "scoring/features"):
        path = copy / "fplbench" / f"{name}.py"
        text, found = re.subn(r"^CHUNK = \d+", f"CHUNK = {size}", path.read_text(), flags=re.MULTILINE)
        assert found == 1, name
        path.write_text(text)
    monkeypatch.setenv("PYTHONPATH", str(copy))
    run = Run(prepare(tmp_path / "run"), repository=copy)
    run.finish()
    own, expected = run.scores(), undisturbed.scores()
    changed = {name for name, digest in expected.items() if own[name] != digest}
    assert own.keys() == expected.keys() and changed <= {
        "feature_scores/lits/gaussian.csv",
        "scores/lits.csv",
        "scores.csv",
        *TABLES,
    }
    for one, other in zip(*(rows_of(each.out / "scores.csv") for each in (run, undisturbed)), strict=True):
        error, its = (dict(row).pop("feature_error") for row in (one, other))
        assert {key: value for key, value in one if key != "feature_error"} == {
            key: value for key, value in other if key != "feature_error"
        }
        assert float(error or 0) == pytest.approx(float(its or 0), rel=1e-5)

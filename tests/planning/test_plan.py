"""The command that plans a run."""

import json

import pytest
from typer.testing import CliRunner

from fplbench.cli import app
from fplbench.config import load_config
from fplbench.errors import InputError
from fplbench.planning import measuring
from fplbench.planning.asking import Job
from fplbench.planning.counts import Operations
from fplbench.planning.devices import DEVICES
from fplbench.planning.plan import make_plan
from fplbench.planning.text import describe
from tests.helpers.workflow import ROOT, write_config


def invoke(*arguments):
    result = CliRunner().invoke(app, ["plan", *map(str, arguments)])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    return write_config(tmp_path, methods={"noisy": {}, "fpl": {}, "median_filter": {}})


def test_hours_are_the_operations_over_the_speed_that_is_reached():
    device = DEVICES[0]
    an_hour_each = Operations(half=device.half * 1e12 * 3600, single=device.single * 1e12 * 3600)
    assert device.hours(an_hour_each, tf32=False) == pytest.approx(2 / device.share)
    assert device.hours(an_hour_each, tf32=True) == pytest.approx((1 + device.single / device.tf32) / device.share)


@pytest.mark.parametrize("tf32", [False, True])
def test_the_time_with_tf32_is_a_column_of_its_own_where_the_config_is_without(tf32):
    training = {name: {"width": 2, "steps": 4, "batch": 2} for name in ("restoration", "fpl")}
    values = {"methods": ["noisy", "fpl"], "sampling": {"size": 32}, "training": training, "numerics": {"tf32": tf32}}
    plan = make_plan(load_config(values), [Job("train_fpl", {"dataset": "lidc", "noise": "gaussian"}, log=["fpl.log"])])
    assert ("numerics.tf32: true" in describe(plan)) != tf32


@pytest.mark.slow
def test_the_plan_of_a_run_as_text_and_as_json(config):
    text = invoke("--configfile", config)
    for line in ("train_fpl", "noisy images", "scratch of a running training", "training restoration", "RTX 4090"):
        assert line in text
    found = json.loads(invoke("--configfile", config, "--json"))
    assert found["jobs"]["train_fpl"] == 2 and found["trainings"]["fpl"]["networks"] == 2
    rule, asked = found["memory"]["CPU"]
    assert rule in found["jobs"] and asked > 1000
    assert found["sources"].keys() == found["hours"].keys() and found["seconds"] is None
    assert found["units"].keys() < found.keys() and (found["units"]["disk"], found["units"]["memory"]) == ("bytes", "MiB")


@pytest.mark.slow
def test_every_rule_with_jobs_is_measured(config, monkeypatch):
    monkeypatch.setattr(measuring, "ROUNDS", 1)
    found = json.loads(invoke("--configfile", config, "--json", "--measure", "--device", "cpu"))
    measured = {rule.removesuffix("_inserted") for rule in found["jobs"]}
    assert {rule.removesuffix("_inserted") for rule in found["seconds"]} == measured and not found["unmeasured"]
    assert all(seconds > 0 for seconds in found["seconds"].values())


def test_a_config_without_its_option_is_named():
    result = CliRunner().invoke(app, ["plan", "ablation", "config/ablation.yaml"])
    assert isinstance(result.exception, InputError)
    assert str(result.exception) == "config/ablation.yaml is taken for a target: write --configfile before it."


def test_several_configs_stand_behind_one_option_as_for_snakemake(tmp_path):
    """Without denoised images, the demo needs less."""
    (tmp_path / "further.yaml").write_text("keep_denoised: false\n")
    alone, both = (
        json.loads(invoke("--json", "results/demo/tables/lidc.md", "--configfile", "config/demo.yaml", *further))
        for further in ([], [str(tmp_path / "further.yaml")])
    )
    assert both["needed"] == alone["needed_without_denoised"] < alone["needed"]

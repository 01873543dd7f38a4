"""Jobs of a run, as Snakemake itself plans them."""

from pathlib import Path

import pytest
import yaml

from fplbench.config import load_config
from fplbench.planning.jobs import count_jobs, networks
from tests.helpers.workflow import ROOT, write_config
from tests.helpers.workflow import plan as snakemake_plan

UNCOUNTED = {"all", "write_config", "total"}


def read(path):
    return load_config(yaml.safe_load(path.read_text()))


def planned(folder, path):
    """Jobs by rule, by a dry run in an empty folder."""
    return {rule: count for rule, count in snakemake_plan(folder, "--configfile", str(path)).items() if rule not in UNCOUNTED}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["demo", "config"])
def test_the_jobs_are_those_of_a_dry_run(tmp_path, name):
    path = ROOT / "config" / f"{name}.yaml"
    assert count_jobs(read(path)) == planned(tmp_path, path)


@pytest.mark.slow
def test_repeats_and_rules_of_ones_own_have_the_jobs_of_a_dry_run(tmp_path):
    methods = {"noisy": {}, "fpl": {}, "kuwahara": {"rule": True}, "median_filter": {}}
    path = write_config(tmp_path, methods=methods, repeats=2, feature_error=[])
    assert count_jobs(read(path)) == planned(tmp_path, path)


def test_networks_are_trained_for_each_noise_and_repeat_and_those_that_are_explained_for_each_data_set():
    config = load_config(
        {"datasets": ["lidc", "rsna"], "noises": ["gaussian", "rician"], "methods": ["fpl", "noisy"], "repeats": 3}
    )
    assert {name: network.count for name, network in networks(config).items()} == {"fpl": 2 * 2 * 3, "restoration": 2}


def test_published_weights_are_not_trained():
    dpir = {"dpir": {"weights": "drunet.pth"}}
    config = load_config({"datasets": ["lidc"], "noises": ["gaussian"], "methods": dpir, "feature_error": []})
    assert networks(config) == {} and not [rule for rule in count_jobs(config) if rule.startswith("train_")]
    assert Path(config.weights_of(config.columns["dpir"])).name == "drunet.pth"

"""The profile for Slurm, without Slurm: what the paper's run would submit."""

import json
import re
import subprocess
import sys
from collections import Counter

import pytest
import yaml

from tests.helpers.workflow import ROOT, snakemake

FOLDER = ROOT / "profiles" / "slurm"
PROFILE = yaml.safe_load((FOLDER / "config.yaml").read_text())
GROUPS = dict(entry.split("=") for entry in PROFILE["groups"])
PAPER = ["--workflow-profile", str(FOLDER), "--configfile", "config/config.yaml", "--nolock"]
FAIR = ["--workflow-profile", str(FOLDER), "--configfile", "config/fair.yaml", "--nolock"]
TARGETS = ["all", "fair", "ablation", "generalisation", "detectability"]
# A dry run that prints what each group asks for. In a dry run Snakemake adds up the levels of a group as if all ran at once; a
# cluster job gets the widest of them, which is what is wanted here.
ASKED = """
import json, sys
from snakemake.cli import main
from snakemake.jobs import GroupJob
from snakemake.resources import GroupResources

layered = GroupResources.basic_layered.__func__
GroupResources.basic_layered = classmethod(lambda cls, **given: layered(cls, **{**given, "run_local": False}))
GroupJob.log_info = lambda group: print("GROUP", json.dumps([group.groupid, dict(group.resources)]))
main(sys.argv[1:])
"""


def test_it_names_rules_that_exist(plugin):
    """Those of the fair comparison's networks exist under that protocol alone, which has all others too."""
    rules = set(snakemake(ROOT, *FAIR, "--list-rules").stdout.split())
    assert not set(GROUPS) - rules
    assert set(PROFILE["slurm-array-jobs"].split(", ")) <= rules


def test_no_checkpoint_is_in_a_group_because_what_follows_it_is_not_known_yet():
    rules = "\n".join(path.read_text() for path in (ROOT / "workflow" / "rules").glob("*.smk"))
    checkpoints = set(re.findall(r"^checkpoint (\w+):", rules, re.MULTILINE))
    assert checkpoints == {"align_variants", "screen_variants"}
    assert not checkpoints & set(GROUPS)


@pytest.mark.slow
def test_no_group_of_the_papers_targets_asks_for_more_than_the_profile_allows(plugin):
    command = [sys.executable, "-c", ASKED, *TARGETS, *FAIR, "--forceall", "--dry-run"]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout
    groups = [json.loads(line.removeprefix("GROUP ")) for line in output.splitlines() if line.startswith("GROUP ")]
    assert {name for name, _ in groups} == set(GROUPS.values())
    caps = {"_cores": PROFILE["cores"], **{name: int(cap) for name, cap in (each.split("=") for each in PROFILE["resources"])}}
    assert set(caps) == {"_cores", "mem_mb", "gpu"}
    assert {(name, cap) for name, asked in groups for cap in caps if asked.get(cap, 0) > caps[cap]} == set()
    assert max(asked["runtime"] for _, asked in groups) <= 24 * 60  # what many partitions allow


def test_no_training_is_in_a_group_because_a_group_that_fails_loses_the_results_of_all_of_its_jobs():
    assert not [rule for rule in GROUPS if rule.startswith(("train_", "sample_", "explain_"))]


def test_the_papers_run_is_less_than_a_third_as_many_cluster_jobs_as_jobs(plugin):
    """39 trainings of L_FP, three of the explained network, three samplings and three explanations stay alone."""
    output = snakemake(ROOT, *PAPER, "--dry-run").stdout
    groups = Counter(re.findall(r"Group job (\w+)", output))
    alone = len(re.findall(r"^(?:Job \d+: )(?!Writing)", output, re.MULTILINE))
    total = re.search(r"^total +(\d+)$", output, re.MULTILINE)[1]
    assert alone == 39 + 3 + 3 + 3
    # All noise; 39 cells of filters and scores by 13, of networks by 10; 39 cells and 6 figures by 15; all tables and figures.
    assert groups == {"noise": 1, "filters": 3, "networks": 4, "scores": 3, "features": 3, "pages": 1}
    assert alone + groups.total() == 63 < int(total) / 3

"""The profile for Slurm, without Slurm: what the paper's run would submit."""

import re
from collections import Counter

import yaml

from tests.helpers.workflow import ROOT, snakemake

FOLDER = ROOT / "profiles" / "slurm"
PROFILE = yaml.safe_load((FOLDER / "config.yaml").read_text())
GROUPS = dict(entry.split("=") for entry in PROFILE["groups"])
PAPER = ["--workflow-profile", str(FOLDER), "--configfile", "config/config.yaml", "--nolock"]


def test_it_names_rules_that_exist(plugin):
    rules = set(snakemake(ROOT, *PAPER, "--list-rules").stdout.split())
    assert not set(GROUPS) - rules
    assert set(PROFILE["slurm-array-jobs"].split(", ")) <= rules


def test_no_training_is_in_a_group_because_a_group_that_fails_loses_the_results_of_all_of_its_jobs():
    assert not [rule for rule in GROUPS if rule.startswith(("train_", "sample_", "explain_"))]


def test_the_papers_run_is_less_than_a_third_as_many_cluster_jobs_as_jobs(plugin):
    """39 trainings of L_FP, three of the explained network, three samplings and three explanations stay alone."""
    output = snakemake(ROOT, *PAPER, "--dry-run").stdout
    groups = Counter(re.findall(r"Group job (\w+)", output))
    alone = len(re.findall(r"^(?:Job \d+: )(?!Writing)", output, re.MULTILINE))
    total = re.search(r"^total +(\d+)$", output, re.MULTILINE)[1]
    assert alone == 39 + 3 + 3 + 3
    # 41 jobs of noise by 10; 39 cells of filters, networks and scores by 4; 39 cells and 6 figures by 5; all tables and figures.
    assert groups == {"noise": 5, "filters": 10, "networks": 10, "scores": 10, "features": 9, "pages": 1}
    assert alone + groups.total() < int(total) / 3

"""A benchmark run by a real Slurm: the same scores, what a cancelled job leaves, GPUs, groups and arrays."""

import os
import re
import signal
import subprocess
import time

import pytest

from tests.helpers.workflow import ROOT, TRAINING, start_snakemake, write_config, write_volumes
from tests.slurm.cluster import jobs_of

PROFILE = ["--workflow-profile", str(ROOT / "profiles" / "slurm"), "--cores", "8"]
# Snakemake asks Slurm for the first time after so many seconds, then ten seconds later each time: about a short job's duration.
HASTE = ["--slurm-init-seconds-before-status-checks", "7", "--slurm-no-account", "--latency-wait", "5"]
CONFIG = ["--configfile", "config.yaml"]
METHODS = {"noisy": {}, "fpl": {}, "median_filter": {}, "mean_filter": {}}


@pytest.fixture
def folders(tmp_path):
    """Two folders with the same data: for Slurm, and for a run without it."""
    for name in ("cluster", "local"):
        write_volumes(tmp_path / name / "volumes")
    return tmp_path / "cluster", tmp_path / "local"


@pytest.fixture
def start():
    """Starts Snakemake as start_snakemake does; what is left at the end of the test is killed."""
    processes = []

    def start_another(folder, *arguments):
        processes.append(start_snakemake(folder, "out/scores.csv", *CONFIG, *arguments))
        return processes[-1]

    yield start_another
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


def output_of(process):
    """What Snakemake says until it ends; a busy machine is waited for."""
    return process.communicate(timeout=3600)[0]


def rules_of(output):
    """The rules of the jobs that Snakemake says have finished."""
    return re.findall(r"Finished jobid: \d+ \(Rule: (\w+)\)", output)


def wait_for_training(variables, folder, process):
    """Number of the cluster job that trains, once it has written to its log."""
    log = folder / "out" / "logs" / "training" / "lits" / "gaussian" / "fpl.log"
    while process.poll() is None:
        running = [job for job in jobs_of(variables) if job["JobState"] == "RUNNING" and "train_fpl" in job["Comment"]]
        if running and log.exists() and log.read_text():
            return running[0]["JobId"]
        time.sleep(0.5)
    raise AssertionError(process.communicate()[0][-5000:])


def cluster_jobs(variables, folder):
    """The cluster jobs of a run, by what the plugin calls them: the rule, or the group and its rules."""
    names = {job["JobId"]: job for job in jobs_of(variables) if job["WorkDir"] == str(folder)}
    return [(job["Comment"].removeprefix("rule_").split("_wildcards")[0], job) for job in names.values()]


def test_a_cancelled_job_is_named_and_the_next_run_ends_with_the_scores_of_a_local_run(cluster, folders, start):
    """Both folders have the same config; its training takes long enough to be cancelled."""
    folder, local = folders
    training = {"restoration": TRAINING, "fpl": {**TRAINING, "steps": 400}}
    noises = {"gaussian": {"sigma": 0.1}}
    for each in folders:
        write_config(each, methods=METHODS, noises=noises, training=training, feature_error=[], inserted=None)
    reference = start(local)

    first = start(folder, *PROFILE, *HASTE)
    number = wait_for_training(cluster, folder, first)
    subprocess.run(["scancel", number], check=True)
    output = output_of(first)
    assert first.returncode != 0
    assert re.search(rf"SLURM-job '{number}' failed, SLURM status is: 'CANCELLED'", output), output[-5000:]
    assert "Error in rule train_fpl" in output
    assert not (folder / "out" / "scores.csv").exists()
    before = rules_of(output)
    assert {"sample_images", "synthesize_noise", "train_restoration", "explain_clean_images", "denoise_filters"} == set(before)

    second = start(folder, *PROFILE, *HASTE)
    output = output_of(second)
    assert second.returncode == 0, output[-5000:]
    assert sorted(rules_of(output)) == ["collate", "collate_dataset", "denoise_networks", "score", "train_fpl"]

    output_of(reference)
    assert (folder / "out" / "scores.csv").read_bytes() == (local / "out" / "scores.csv").read_bytes()

    gpus = {name: "gpu:1" in job.get("TresPerJob", "") for name, job in cluster_jobs(cluster, folder)}
    assert gpus["train_fpl"] and gpus["train_restoration"] and not gpus["sample_images"]


@pytest.mark.slow
def test_short_jobs_share_cluster_jobs_and_trainings_are_an_array(cluster, folders, start):
    folder, local = folders
    for each in folders:
        write_config(each, methods=METHODS, inserted=None)
    reference = start(local)
    process = start(folder, *PROFILE, *HASTE)
    output = output_of(process)
    assert process.returncode == 0, output[-5000:]
    output_of(reference)
    assert (folder / "out" / "scores.csv").read_bytes() == (local / "out" / "scores.csv").read_bytes()

    rules = rules_of(output)
    assert rules.count("synthesize_noise") == rules.count("denoise_filters") == rules.count("score") == 2
    jobs = cluster_jobs(cluster, folder)
    # Two noises: stacks, filters, networks and scores of both in one job each; features; both tables; and four others.
    assert len(rules) == 16 and len(jobs) == 11, sorted(name for name, _ in jobs)
    trainings = [job for name, job in jobs if name == "train_fpl"]
    assert {job["ArrayTaskId"] for job in trainings} == {"1", "2"} and len({job["ArrayJobId"] for job in trainings}) == 1

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
        processes.append(start_snakemake(folder, *arguments, *CONFIG))
        return processes[-1]

    yield start_another
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


def asking_after(seconds):
    """Options with which Snakemake asks Slurm after so many seconds; after ten more whenever no job has finished meanwhile.

    A short job takes about 12 s. At its end, Snakemake waits that long once more, and ten seconds longer after a failure.
    """
    return [*PROFILE, "--slurm-init-seconds-before-status-checks", str(seconds), "--slurm-no-account", "--latency-wait", "5"]


def output_of(process):
    """What Snakemake says until it ends; a busy machine is waited for."""
    return process.communicate(timeout=3600)[0]


def rules_of(output):
    """The rules of the jobs that Snakemake says have finished."""
    return re.findall(r"Finished jobid: \d+ \(Rule: (\w+)\)", output)


def wait_until_running(variables, rule, process):
    """Number of the first cluster job of a rule, once it runs. Each takes seconds: two Snakemakes start in it."""
    while process.poll() is None:
        running = [job for job in jobs_of(variables) if job["JobState"] == "RUNNING" and f"rule_{rule}_" in job["Comment"]]
        if running:
            return running[0]["JobId"]
        time.sleep(0.2)
    raise AssertionError(process.communicate()[0][-5000:])


def cluster_jobs(variables, folder):
    """The cluster jobs of a run, by what the plugin calls them: the rule, or the group and its rules."""
    names = {job["JobId"]: job for job in jobs_of(variables) if job["WorkDir"] == str(folder)}
    return [(job["Comment"].removeprefix("rule_").split("_wildcards")[0], job) for job in names.values()]


def test_a_cancelled_job_is_named_and_the_next_run_ends_with_the_scores_of_a_local_run(cluster, folders, start):
    """A training is cancelled. Its network needs clean images alone, which are sampled without Slurm: few cluster jobs wait."""
    weights, target = "out/models/lits/drunet.safetensors", "out/scores/lits/gaussian.csv"
    folder, local = folders
    methods = {"noisy": {}, "dpir": {}, "median_filter": {}}
    training = {"drunet": {**TRAINING, "blocks": 1, "patch": 16}}
    for each in folders:
        write_config(
            each, methods=methods, noises={"gaussian": {"sigma": 0.1}}, training=training, feature_error=[], inserted=None
        )

    assert start(folder, "out/data/lits/train.npy").wait() == 0
    first = start(folder, weights, *asking_after(2))
    number = wait_until_running(cluster, "train_drunet", first)
    subprocess.run(["scancel", number], check=True)
    reference = start(local, target)  # while the first run waits before it ends
    output = output_of(first)
    assert first.returncode != 0
    assert re.search(rf"SLURM-job '{number}' failed, SLURM status is: 'CANCELLED'", output), output[-5000:]
    assert "Error in rule train_drunet" in output
    assert rules_of(output) == [] and not (folder / weights).exists()

    second = start(folder, target, *asking_after(15))
    output = output_of(second)
    assert second.returncode == 0, output[-5000:]
    assert sorted(rules_of(output)) == ["denoise_filters", "denoise_networks", "score", "synthesize_noise", "train_drunet"]

    output_of(reference)
    assert (folder / target).read_bytes() == (local / target).read_bytes()

    gpus = {name: "gpu:1" in job.get("TresPerJob", "") for name, job in cluster_jobs(cluster, folder)}
    assert gpus["train_drunet"] and sum(gpus.values()) == 2, gpus  # and the job that denoises with networks


@pytest.mark.slow
def test_short_jobs_share_cluster_jobs_and_trainings_are_an_array(cluster, folders, start):
    folder, local = folders
    for each in folders:
        write_config(each, methods=METHODS, inserted=None)
    reference = start(local, "out/scores.csv")
    process = start(folder, "out/scores.csv", *asking_after(11))
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


@pytest.mark.slow
def test_groups_and_the_checkpoints_of_an_ablation_do_not_disturb_each_other(cluster, folders, start):
    """With eight noises, groups of scores are still running when the first checkpoint ends."""
    targets = ["out/scores.csv", "out/ablation/ablation.md"]
    noises = ("gaussian", "rician", "poisson", "speckle", "thermal", "salt_pepper", "noncentral_chi", "structured")
    forms = {
        "sobel": {"balance": 0.1, "explanation": {"feature": "sobel"}},
        "random_sign": {"balance": 0.1, "explanation": {"network": "random", "readout": "sigmoid_sum", "activation": "relu"}},
        "mask_weight": {"feature_use": "weight", "explanation": {"feature": "mask"}},
    }
    once = {"noises": ["gaussian"], "screened_on": ["gaussian"], "seeds": [1], "draws": 2, "least_cosine": 0.5, "keep": 1}
    changes = {
        "methods": {**METHODS, "nlm": {}},
        "noises": {noise: {} for noise in noises},
        "training": {"restoration": TRAINING, "fpl": TRAINING, "random": {"width": 2}},
        "fair": {"seconds_per_step": {"fpl": 2.0, "residual_same_steps": 1.0}},
        "ablation": {**once, "controls": ["mask_weight"], "variants": forms},
    }
    folder, local = folders
    for each in folders:
        write_config(each, **changes)
    process = start(folder, *targets, *asking_after(3))
    reference = start(local, *targets)
    output = output_of(process)
    assert process.returncode == 0, output[-5000:]
    output_of(reference)
    for target in targets:
        assert (folder / target).read_bytes() == (local / target).read_bytes(), target

    jobs = cluster_jobs(cluster, folder)
    ends = [job["EndTime"] for name, job in jobs if name in ("align_variants", "screen_variants")]
    assert len(ends) == 2
    assert [
        name for name, job in jobs if name.startswith("scores_") and any(job["StartTime"] < end < job["EndTime"] for end in ends)
    ]

"""What jobs ask for, against what they used."""

import csv
import os
import sys

import pytest
import yaml

from fplbench.config import load_config
from fplbench.config.ablation import VARIANTS
from fplbench.planning.asking import jobs_of
from fplbench.planning.resources import JobNeeds
from tests.helpers.workflow import ROOT, TRAINING, start_snakemake, write_config, write_volumes

DEMO = ROOT / "results" / "demo"
MIDDLE = "FPLBENCH_MIDDLE"
TARGETS = ["all", "fair", "ablation", "generalisation", "detectability"]
# Comparing explanations takes longer than all the rest of a run of middle size, so only the table of the ablation is made there.
MIDDLE_TARGETS = ["all", "fair", "out/ablation/ablation.md", "generalisation", "detectability"]
# Bash reads this before each command of a rule, and calls the function in place of the program.
MEASURED = """fplbench() {{ {python} -c '
import os, resource, subprocess, sys
status = subprocess.call(sys.argv[2:])
with open(sys.argv[1], "a") as found:
    found.write("%s %d\\n" % (os.readlink("/proc/self/fd/1"), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(status)' {found} fplbench "$@"; }}
"""


def planned(path, folder, *targets):
    return jobs_of(targets, [path], ROOT / "Snakefile", ["--resources", "gpu=0", "--directory", str(folder)])


@pytest.mark.slow
@pytest.mark.skipif(not (DEMO / "run.json").exists(), reason="there are no results of the demo")
def test_no_job_of_the_demo_used_more_memory_than_its_rule_asks_for():
    """Snakemake writes "-" or "NA" for jobs that were too short to look at."""
    peaks = {}
    for job in planned(ROOT / "config" / "demo.yaml", ROOT, "all"):
        if job.benchmark:
            with (ROOT / job.benchmark).open() as rows:
                found = [row["max_rss"] for row in csv.DictReader(rows, delimiter="\t")]
            key = job.rule, job.resources["mem_mb"]
            peaks[key] = max([*(float(peak) for peak in found if peak not in ("-", "NA")), peaks.get(key, 0.0)])
    assert len(peaks) > 20
    assert {key: peak for key, peak in peaks.items() if peak > key[1]} == {}


@pytest.mark.slow
def test_every_rule_asks_for_memory_and_minutes_as_the_config_needs(tmp_path):
    path = ROOT / "config" / "demo.yaml"
    needs = JobNeeds(load_config(yaml.safe_load(path.read_text())), gpu=False)
    found = {job.rule: job for job in planned(path, tmp_path, *TARGETS, "calibrate", "noise_sheet")}
    nothing = {"all", "write_config", *TARGETS, "calibrate", "noise_sheet"}  # they compute nothing
    # Those that only read and write the files of another rule ask for what that rule does.
    alike = {"collate_all_fair", "collate_fair", "collate_generalisation", "fair_cost", "score_fair", "score_fair_features"}
    for rule in found.keys() - nothing - alike:
        asked = found[rule].resources
        assert (asked["mem_mb"], asked["runtime"]) == (needs.memory(rule), needs.minutes(rule)), rule
    assert {rule for rule in found.keys() - nothing if "runtime" not in found[rule].resources} == set()


@pytest.mark.slow
@pytest.mark.skipif(MIDDLE not in os.environ, reason=f"it takes minutes: {MIDDLE}=1 pytest tests/planning/test_resources.py -s")
def test_no_job_of_a_run_of_middle_size_uses_more_memory_than_its_rule_asks_for(tmp_path, monkeypatch):
    """Images of 256 pixels, and networks of width 32; the peak that Linux has for the largest process of each command."""
    write_volumes(tmp_path / "volumes", count=12, slices=16)
    learned = {**TRAINING, "width": 32, "batch": 4}
    others = {"restoration": learned, "lesion": learned, "drunet": {**learned, "blocks": 2, "patch": 128}}
    encoder = {"balance": 0.1, "explanation": {"feature": "encoder", "level": 0}}
    path = write_config(
        tmp_path,
        sampling={"train": 72, "validation": 4, "test": 8, "size": 256},
        training={"fpl": {**learned, "draws": 2}, **others},
        methods={"noisy": {}, "fpl": {}, "dpir": {}, "median_filter": {}, "nlm": {}, "wavelet": {}, "wiener": {}},
        noises={"gaussian": {"sigma": 0.1}},
        tuning={"images": 6},
        fair={"methods": {"residual_same_steps": {}}, "noises": ["gaussian"]},
        ablation={"seeds": [1], "draws": 2, "variants": {**VARIANTS, "encoder": encoder}},
        detectability={"contrasts": {"lits": [20]}, "sizes": [16], "pairs": 20},
    )
    (tmp_path / "measured.sh").write_text(MEASURED.format(python=sys.executable, found=tmp_path / "peaks"))
    monkeypatch.setenv("BASH_ENV", str(tmp_path / "measured.sh"))
    jobs = planned(path, tmp_path, *MIDDLE_TARGETS)
    run = start_snakemake(tmp_path, *MIDDLE_TARGETS, "--configfile", path.name, "--resources", "gpu=0", "--cores", "1")
    output, _ = run.communicate()
    assert run.returncode == 0, output[-3000:]
    rules = {str((tmp_path / log).resolve()): job for job in jobs for log in job.log}
    peaks = {}
    for line in (tmp_path / "peaks").read_text().splitlines():
        log, kilobytes = line.rsplit(" ", 1)
        key = rules[log].rule, rules[log].resources["mem_mb"]
        peaks[key] = max(int(kilobytes) / 1024, peaks.get(key, 0.0))
    for (rule, asked), peak in peaks.items():
        print(f"{rule}: used {peak:.0f} MB of {asked}")
    assert {key: peak for key, peak in peaks.items() if peak > key[1]} == {}
    assert {job.rule for job in jobs if job.benchmark} == {rule for rule, _ in peaks}


def test_memory_grows_with_images_size_width_and_batch():
    def asked(rule, sampling=None, gpu=False, **training):
        given = {"width": 16, "batch": 4, **training}
        config = {"datasets": ["lidc"], "noises": ["gaussian"], "methods": ["noisy", "fpl"], "training": {"fpl": given}}
        config["training"]["restoration"] = {"width": given["width"]}
        return JobNeeds(load_config({**config, "sampling": {"train": 400, **(sampling or {})}}), gpu).memory(rule)

    usual = asked("train_fpl")
    for larger in ({"sampling": {"size": 512}}, {"sampling": {"train": 800}}, {"width": 32}, {"batch": 8}, {"draws": 16}):
        assert asked("train_fpl", **larger) > usual
    assert asked("train_fpl", micro_batch=2) < usual
    assert asked("score", {"test": 2000}) > asked("score")
    # On a GPU, the batch is in the memory of the GPU.
    assert asked("train_fpl", gpu=True, batch=8) == asked("train_fpl", gpu=True)
    # Eight draws, the clean images and features of 2 bytes are no more than 12 bytes for each pixel.
    stacks = 400 * 256**2 / 2**20
    more = asked("train_fpl", {"train": 800}, gpu=True) - asked("train_fpl", gpu=True)
    assert (1 + 8 + 2) * stacks < more < 20 * stacks


def test_time_follows_from_the_operations():
    short, long = (
        JobNeeds(
            load_config({"datasets": ["lidc"], "noises": ["gaussian"], "methods": ["fpl"], "training": {"fpl": {"steps": steps}}})
        ).minutes("train_fpl")
        for steps in (20_000, 40_000)
    )
    assert long - 30 == pytest.approx(2 * (short - 30), abs=2)
    assert short > 30

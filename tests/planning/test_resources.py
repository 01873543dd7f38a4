"""What jobs ask for, against what they used."""

import csv
import os

import pytest
import yaml

from fplbench.config import load_config
from fplbench.planning.jobs import count_jobs
from fplbench.planning.resources import JobNeeds
from tests.helpers.workflow import ROOT, TRAINING, snakemake, write_config, write_volumes

DEMO = ROOT / "results" / "demo"
MIDDLE = "FPLBENCH_MIDDLE"
# The rule of a benchmark file, by how its path begins, and by how it ends where one folder has several.
RULES = {
    "data": {"_inserted": "insert_lesions", "": "sample_images"},
    "noise": {"_inserted": "add_noise_to_inserted", "": "synthesize_noise"},
    "training": {"/fpl": "train_fpl", "/drunet": "train_drunet", "/restoration": "train_restoration"},
    "features": {"": "explain_clean_images"},
    "denoise": {"/filters": "denoise_filters", "/networks": "denoise_networks"},
    "score": {"": "score"},
    "feature_scores": {"": "score_features"},
    "collate": {"/all": "collate", "": "collate_dataset"},
    "figures": {
        **{"_features": "feature_figure", "_lesions": "lesion_figure", "_inserted": "inserted_figure", "/noises": "noise_figure"},
        **{"_recovery": "recovery_figure", "_grey_maps": "grey_map_figure", "/heat_map": "heat_map", "/ranks": "rank_figure"},
        **{"/training": "training_figure", "": "figure"},
    },
    "tables": {"": "table"},
    "explorer": {"": "explorer"},
    "paper": {"": "paper_comparison"},
    **{name: {"": name} for name in ("cost", "report", "manifest")},
    "lesions": {"": "lesion_summary"},
}


def used(benchmarks):
    """The peak memory of each rule, MB, over its jobs. Snakemake writes "-" or "NA" for jobs that were too short to look at."""
    found = {}
    for file in benchmarks.rglob("*.tsv"):
        path = str(file.relative_to(benchmarks).with_suffix(""))
        kind = path.partition("/")[0]
        rule = next(name for ending, name in RULES[kind].items() if path.endswith(ending))
        with file.open() as rows:
            peaks = [row["max_rss"] for row in csv.DictReader(rows, delimiter="\t")]
        found.setdefault(rule, []).extend(float(peak) for peak in peaks if peak not in ("-", "NA"))
    return {rule: max(peaks, default=0.0) for rule, peaks in found.items()}


def check(config, benchmarks):
    """Every job used less than its rule asks for, networks on the processor; and there are jobs of every rule."""
    resources, peaks = JobNeeds(config, gpu=False), used(benchmarks)
    assert {rule.removesuffix("_inserted") for rule in count_jobs(config)} <= {rule.removesuffix("_inserted") for rule in peaks}
    assert {rule: peak for rule, peak in peaks.items() if peak > resources.memory(rule)} == {}
    return peaks


@pytest.mark.skipif(not (DEMO / "run.json").exists(), reason="there are no results of the demo")
def test_no_job_of_the_demo_used_more_memory_than_its_rule_asks_for():
    check(load_config(yaml.safe_load((ROOT / "config" / "demo.yaml").read_text())), DEMO / "benchmarks")


@pytest.mark.slow
@pytest.mark.skipif(MIDDLE not in os.environ, reason=f"it takes minutes: {MIDDLE}=1 pytest tests/planning/test_resources.py -s")
def test_no_job_of_a_run_of_middle_size_uses_more_memory_than_its_rule_asks_for(tmp_path):
    """Images of 256 pixels, and networks of width 32."""
    write_volumes(tmp_path / "volumes", count=12, slices=16)
    learned = {**TRAINING, "width": 32, "batch": 4}
    path = write_config(
        tmp_path,
        sampling={"train": 72, "validation": 8, "test": 16, "size": 256},
        training={"restoration": learned, "fpl": {**learned, "draws": 2}, "drunet": {**learned, "blocks": 2, "patch": 128}},
        methods={"noisy": {}, "fpl": {}, "dpir": {}, "median_filter": {}, "nlm": {}, "wavelet": {}, "wiener": {}},
        noises={"gaussian": {"sigma": 0.1}},
        tuning={"images": 6},
    )
    run = snakemake(tmp_path, "--configfile", path.name, "--resources", "gpu=0", "--cores", "1")
    assert run.returncode == 0, run.stdout[-3000:]
    config = load_config(yaml.safe_load(path.read_text()))
    for rule, peak in check(config, tmp_path / "out" / "benchmarks").items():
        print(f"{rule}: used {peak:.0f} MB of {JobNeeds(config, gpu=False).memory(rule)}")


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

"""The fair comparison as a target: peers, controls, budgets and repeats."""

import csv
import json

from tests.helpers.workflow import TRAINING, plan, snakemake, write_config

COMPARED = {
    "noises": ["gaussian"],
    "methods": {"residual_same_steps": {}, "residual_same_seconds": {}, "red_cnn": {}, "noise2void": {}},
    "budgets": ["steps", "seconds"],
    "seconds_per_step": {"fpl": 3, "residual_same_steps": 1, "red_cnn": 6, "noise2void": 2},
}
OPTIONS = {"restoration": TRAINING, "drunet": {**TRAINING, "blocks": 1, "patch": 16}, "fpl": TRAINING, "red_cnn": {"width": 2}}


def test_the_fair_comparison_trains_peers_and_controls_as_long_as_fpl(benchmark_run):
    """FPL has 4 steps of 3 s: 12 steps of the residual control, 2 of RED-CNN, 6 of Noise2Void."""
    folder = benchmark_run
    write_config(folder, fair=COMPARED, training={**OPTIONS, "noise2void": {"width": 2}}, repeats=2)
    process = snakemake(folder, "fair", "--configfile", "config.yaml")
    assert process.returncode == 0, process.stdout[-3000:]
    fair = folder / "out" / "fair"
    steps = {}
    for log in (folder / "out" / "models" / "lits" / "gaussian").glob("*.csv"):
        with open(log, newline="") as stream:
            steps[log.stem] = int([*csv.DictReader(stream)][-1]["step"])
    expected = {"fpl": 4, "residual_same_steps": 4, "residual_same_seconds": 12, "red_cnn": 4, "red_cnn_same_seconds": 2}
    expected |= {"noise2void": 4, "noise2void_same_seconds": 6}
    assert steps == expected | {f"{name}-2": count for name, count in expected.items()}
    assert json.loads((folder / "out" / "config.json").read_text())["fair"]["steps"]["red_cnn"] == 2
    for budget in ("steps", "seconds"):
        table = (fair / "tables" / f"lits_{budget}.md").read_text()
        for heading in ("RED-CNN", "Noise2Void", "U-Net, same steps", "U-Net, same seconds", "DPIR", "Best filter"):
            assert heading in table, heading
    with open(fair / "cost.csv", newline="") as stream:
        cost = {row["method"]: row for row in csv.DictReader(stream)}
    # RED-CNN of width 2: ten layers of 5x5, two of them from or to the one channel of the image, with biases.
    assert int(cost["red_cnn"]["parameters"]) == 2 * (2 * 25) + 8 * (4 * 25) + 9 * 2 + 1
    assert float(cost["red_cnn"]["operations"]) > 0 and cost["median_filter"]["operations"] == ""


def test_another_seed_of_a_repeat_gives_other_weights_and_the_first_stays(benchmark_run):
    folder = benchmark_run
    models = folder / "out" / "models" / "lits" / "gaussian"
    before = (models / "fpl.safetensors").read_bytes()
    write_config(folder, repeats=2)
    process = snakemake(folder, "out/tables/lits.md", "--configfile", "config.yaml")
    assert process.returncode == 0, process.stdout[-3000:]
    assert (models / "fpl.safetensors").read_bytes() == before != (models / "fpl-2.safetensors").read_bytes()
    assert (folder / "out" / "denoised" / "lits" / "gaussian" / "dpir-2.npy").exists()
    assert "fpl-2" not in (folder / "out" / "tables" / "lits.md").read_text()


def test_the_target_needs_the_fair_protocol(tmp_path):
    write_config(tmp_path, protocol="published")
    process = snakemake(tmp_path, "fair", "--dry-run", "--configfile", "config.yaml")
    assert process.returncode != 0 and "snakemake fair needs a config with protocol: fair" in process.stdout


def test_a_noise_of_one_data_set_has_no_jobs_on_the_others(tmp_path):
    datasets = {"lits": {"root": "volumes"}, "rsna": {"root": "radiographs"}}
    noises = {"gaussian": {}, "low_dose_ct": {"datasets": ["lits"]}}
    write_config(tmp_path, datasets=datasets, noises=noises, inserted={})
    jobs = plan(tmp_path, "--configfile", "config.yaml")
    assert jobs["synthesize_noise"] == jobs["score"] == 3 and jobs["table"] == 2
    assert jobs["sample_hounsfield"] == jobs["sample_images"] == 1

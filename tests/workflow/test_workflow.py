import csv
import os
import re
import signal
import time
from collections import Counter

import pytest

from tests.helpers.workflow import ROOT, plan, snakemake, start_snakemake, write_config, write_volumes


def test_the_papers_plan_is_whole_and_needs_no_data():
    jobs = plan(ROOT, "--configfile", "config/config.yaml", "--resources", "gpu=1", "--nolock")
    assert jobs["sample_images"] == jobs["train_restoration"] == jobs["table"] == 3
    assert jobs["train_fpl"] == jobs["synthesize_noise"] == jobs["score"] == 39
    # Lesions are inserted into the images of two of the data sets, and scored on two noises.
    assert jobs["denoise_filters"] == jobs["denoise_networks"] == 35
    assert jobs["denoise_filters_inserted"] == jobs["denoise_networks_inserted"] == jobs["add_noise_to_inserted"] == 4
    assert jobs["total"] < 300


def test_one_table_plans_its_data_set_alone():
    jobs = plan(ROOT, "--configfile", "config/config.yaml", "--nolock", "results/tables/lits.tex")
    assert jobs["sample_images"] == jobs["table"] == 1 and jobs["train_fpl"] == 13


def test_without_data_the_run_stops_at_once_with_folder_key_and_command(tmp_path):
    write_config(tmp_path)
    process = snakemake(tmp_path, "--configfile", "config.yaml")
    assert process.returncode != 0
    sentence = next(line for line in process.stdout.splitlines() if "does not exist" in line)
    assert "volumes" in sentence and "datasets.lits.root" in sentence and "fplbench fetch lits" in sentence
    assert not (tmp_path / "out" / "data").exists()


def test_without_published_weights_the_run_stops_at_once(tmp_path):
    write_volumes(tmp_path / "volumes", count=1)
    write_config(tmp_path, training=None, methods={"noisy": {}, "dpir": {"weights": "drunet_gray.pth"}})
    process = snakemake(tmp_path, "--configfile", "config.yaml")
    assert process.returncode != 0 and "fplbench fetch drunet drunet_gray.pth" in process.stdout
    assert not (tmp_path / "out" / "data").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"samplling": {}}, "samplling is not a known key: did you mean 'sampling'?"),
        ({"noises": {"gausian": {}}}, "did you mean 'gaussian'?"),
        ({"methods": {"median": {}}}, "did you mean 'median_filter'?"),
    ],
)
def test_a_wrong_config_stops_before_any_job_with_one_sentence(tmp_path, changes, message):
    write_config(tmp_path, **changes)
    process = snakemake(tmp_path, "--configfile", "config.yaml")
    assert process.returncode != 0 and message in process.stdout
    assert "Traceback" not in process.stdout and "Building DAG" not in process.stdout


def test_a_run_ends_with_tables_figures_scores_report_and_manifest(benchmark_run):
    folder = benchmark_run
    out = folder / "out"
    for name in ("tables/lits.tex", "tables/lits.md", "tables/lits.csv", "report.html", "run.json", "figures/lits.png"):
        assert (out / name).stat().st_size > 100, name
    with open(out / "scores.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 2 * 4 * 4  # noises, methods, images
    assert all(row["feature_error"] for row in rows if row["noise"] == "gaussian")


def test_annotated_and_inserted_lesions_are_scored_and_shown(benchmark_run):
    """Every image of the made-up volumes shows a tumour; lesions are inserted into three copies, for Gaussian noise."""
    out = benchmark_run / "out"
    with open(out / "data" / "lits" / "inserted_test_lesions.csv", newline="") as stream:
        inserted = sum(row["inserted"] == "1" for row in csv.DictReader(stream))
    assert inserted >= 3
    for noise, expected in (("gaussian", {"0": 4 * 4, "1": 4 * inserted}), ("rician", {"0": 4 * 4})):  # methods, images
        with open(out / "lesion_scores" / "lits" / f"{noise}.csv", newline="") as stream:
            rows = list(csv.DictReader(stream))
        assert Counter(row["inserted"] for row in rows) == expected
        # The unprocessed image keeps them but for chance: noise of 25 grey levels, 70 to 80 pixels inside and as many
        # around, and a contrast of 70 grey levels give a standard error of 0.06.
        kept = [float(row["contrast_recovery"]) for row in rows if row["method"] == "noisy" and row["inserted"] == "0"]
        assert kept == pytest.approx([1] * 4, abs=0.25)
    for name in ("lits_lesions", "lits_inserted", "lits_recovery"):
        assert (out / "figures" / f"{name}.png").stat().st_size > 1000
    assert "2 annotated tumours in 4 of 4 test images (2 patients)" in (out / "lesions.md").read_text()
    table = (out / "tables" / "lits.md").read_text()
    assert "Contrast recovery " in table and "Contrast recovery (inserted)" in table


def test_denoised_stacks_are_kept(benchmark_run):
    """Two noises and four methods, for test and for validation images; and inserted lesions on one noise."""
    kept = list((benchmark_run / "out").glob("denoised/**/*.npy"))
    assert len(kept) == 2 * 4 * 2 + 4 and sum(path.stem.endswith("_inserted") for path in kept) == 4


def test_where_they_are_not_kept_those_of_few_cells_are_there_at_once_and_pages_can_be_made_again(tmp_path):
    """At most one whole cell, three methods for test and validation images, and the test images of the one before."""
    noises = {"gaussian": {"sigma": 0.1}, "rician": {}, "poisson": {}}
    changes = {"noises": noises, "methods": {"noisy": {}, "fpl": {}, "median_filter": {}}, "inserted": None}
    changes |= {"feature_error": [*noises], "keep_denoised": False}
    write_volumes(tmp_path / "volumes")
    write_config(tmp_path, **changes)
    page, most = "out/explorer/lits.html", 0
    process = start_snakemake(tmp_path, page, "--configfile", "config.yaml", "--resources", "gpu=1")
    while process.poll() is None:
        most = max(most, len(list(tmp_path.glob("out/denoised/lits/*/[!.]*.npy"))))
        time.sleep(0.02)
    assert process.returncode == 0, process.communicate()[0]
    assert 0 < most <= 3 * 2 + 3
    assert not list(tmp_path.glob("out/denoised/**/*.npy")) and len(list(tmp_path.glob("out/shown/lits/*/*.npy"))) == 3 * 3
    write_config(tmp_path, **changes, notes={"lits": "Volumes of a ball."})
    assert plan(tmp_path, page, "--configfile", "config.yaml").keys() <= {"write_config", "explorer", "table", "total"}


def test_one_gpu_job_runs_at_a_time_without_being_asked(benchmark_run):
    folder = benchmark_run
    first_log = min((folder / ".snakemake" / "log").iterdir()).read_text()
    assert re.search(r"Provided resources: .*gpu\W+1\b", first_log)


def test_a_rerun_with_nothing_changed_does_nothing(benchmark_run):
    folder = benchmark_run
    assert "Nothing to be done" in snakemake(folder, "--configfile", "config.yaml").stdout


def test_a_failed_job_leaves_no_half_written_output(tmp_path):
    write_volumes(tmp_path / "volumes", count=1)
    write_config(tmp_path)
    process = snakemake(tmp_path, "out/data/lits/sampling.json", "--configfile", "config.yaml")
    assert process.returncode != 0
    assert not list((tmp_path / "out").glob("data/**/*.npy"))
    log = (tmp_path / "out" / "logs" / "data" / "lits.log").read_text()
    assert "asks for 6 + 2 + 4 = 12 images and finds 6" in log
    # The last lines of a failed job's log are on the screen.
    assert log.splitlines() and all(line.strip() in process.stdout for line in log.splitlines()[-12:])


def test_a_config_without_data_sets_does_not_mix_with_the_papers(tmp_path):
    write_config(tmp_path, datasets=None)
    jobs = plan(tmp_path, "--configfile", "config.yaml")
    assert jobs["sample_images"] == 3 and jobs["train_fpl"] == 3 * 2


def test_every_missing_folder_is_named(tmp_path):
    write_config(tmp_path, datasets={"lits": {"root": "volumes"}, "rsna": {"root": "radiographs"}})
    output = snakemake(tmp_path, "--configfile", "config.yaml").stdout
    assert "The folder volumes does not exist" in output and "The folder radiographs does not exist" in output


def test_after_ctrl_c_the_run_says_how_to_go_on_and_does(tmp_path):
    write_volumes(tmp_path / "volumes")
    write_config(tmp_path, methods={"noisy": {}, "median_filter": {}}, feature_error=[])
    process = start_snakemake(tmp_path, "out/scores.csv", "--configfile", "config.yaml")
    while not list(tmp_path.glob("out/noisy/lits/*/test.npy")) and process.poll() is None:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    output, _ = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "the same command continues from here" in output and "Traceback" not in output
    again = snakemake(tmp_path, "out/scores.csv", "--configfile", "config.yaml")
    assert again.returncode == 0 and "Sampling images" not in again.stdout

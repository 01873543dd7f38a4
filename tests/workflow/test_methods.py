"""Methods that come into the workflow from elsewhere, or with tuned options."""

import csv
import json

import numpy as np
import pytest

from tests.helpers.workflow import plan, snakemake, write_config, write_volumes

INDEX = """        index="<results>/denoised/{dataset}/{noise}/mine.csv",
"""
RULE = """
rule denoise_mine:
    input:
        noisy="<results>/noisy/{dataset}/{noise}/test.npy",
        index="<results>/noisy/{dataset}/{noise}/test.csv",
    output:
        stack="<results>/denoised/{dataset}/{noise}/mine.npy",
        index="<results>/denoised/{dataset}/{noise}/mine.csv",
    shell:
        "SHELL"
"""


def run(folder, shell=None, target="out/tables/lits.md", **changes):
    """Run the benchmark of `noisy` and a method of a rule file outside the repository."""
    write_volumes(folder / "volumes")
    methods = {"noisy": {}}
    if shell:
        (folder / "mine.smk").write_text(RULE.replace("SHELL", shell))
        changes["custom_rules"] = ["mine.smk"]
        methods["mine"] = {"rule": True, "label": "My method"}
    changes = {"methods": methods, "noises": {"gaussian": {}}, "feature_error": [], **changes}
    write_config(folder, **changes)
    return snakemake(folder, target, "--configfile", "config.yaml")


def test_a_rule_outside_the_repository_has_its_column(tmp_path):
    process = run(tmp_path, "cp {input.noisy} {output.stack}; cp {input.index} {output.index}")
    assert process.returncode == 0, process.stdout[-2000:]
    assert "My method" in (tmp_path / "out" / "tables" / "lits.md").read_text()
    with open(tmp_path / "out" / "scores" / "lits.csv", newline="") as stream:
        scores = {method: [row["psnr"] for row in rows] for method, rows in by_method(csv.DictReader(stream)).items()}
    assert scores["mine"] == scores["noisy"]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (np.zeros((4, 16, 16), np.uint8), "4 images of 16x16"),
        (np.zeros((3, 32, 32), np.uint8), "3 images of 32x32"),
        (np.zeros((4, 32, 32)), "float64"),
    ],
)
def test_a_wrong_stack_is_refused_with_its_file_its_rule_and_what_is_wrong(tmp_path, wrong, words):
    np.save(tmp_path / "wrong.npy", wrong)
    process = run(tmp_path, "cp wrong.npy {output.stack}; cp {input.index} {output.index}")
    assert process.returncode != 0
    sentence = next(line for line in process.stdout.splitlines() if line.strip().startswith("fplbench:"))
    assert "denoised/lits/gaussian/mine.npy" in sentence and words in sentence and "the rule denoise_mine" in sentence


def test_a_tuned_method_stands_beside_its_default(tmp_path):
    methods = {"median_filter": {"tune": "both"}}
    process = run(tmp_path, methods=methods)
    assert process.returncode == 0, process.stdout[-2000:]
    assert "†" in (tmp_path / "out" / "tables" / "lits.md").read_text()
    chosen = json.loads((tmp_path / "out" / "tuned" / "lits" / "gaussian" / "median_filter_tuned.json").read_text())
    assert "size" in chosen


def test_a_method_without_its_rule_is_named(tmp_path):
    process = run(tmp_path, methods={"noisy": {}, "mine": {"rule": True}})
    assert process.returncode != 0 and "methods.mine has rule: true, but there is no rule denoise_mine" in process.stdout


def test_a_rule_without_an_index_is_named(tmp_path):
    write_config(tmp_path, methods={"noisy": {}, "mine": {"rule": True}}, custom_rules=["mine.smk"])
    (tmp_path / "mine.smk").write_text(RULE.replace(INDEX, ""))
    process = snakemake(tmp_path, "--configfile", "config.yaml")
    assert process.returncode != 0
    assert "denoise_mine does not have the output <results>/denoised/{dataset}/{noise}/mine.csv" in process.stdout


def test_a_method_that_fails_is_named_and_leaves_nothing_half_written(tmp_path):
    process = run(tmp_path, methods={"noisy": {}, "median_filter": {}, "fpl": {"weights": "volumes/volume-0.nii"}})
    assert process.returncode != 0
    assert "The method 'fpl' failed: " in process.stdout
    assert not list((tmp_path / "out").glob("denoised/**/fpl.*"))
    assert list((tmp_path / "out").glob("denoised/**/median_filter.npy"))


def test_noises_are_added_to_a_list_by_a_second_config_file(tmp_path):
    write_config(tmp_path)
    (tmp_path / "more.yaml").write_text("noises: {rayleigh: {sigma: 0.1}}\n")
    jobs = plan(tmp_path, "--configfile", "config.yaml", "more.yaml")
    assert jobs["synthesize_noise"] == 3


def test_an_entry_named_after_a_file_of_a_rule_is_that_method(tmp_path):
    """The repository has a rule file kuwahara.smk, which is for an entry with rule: true."""
    write_config(tmp_path, methods={"noisy": {}, "kuwahara": {"method": "median_filter"}}, feature_error=[], inserted={})
    assert plan(tmp_path, "--configfile", "config.yaml")["denoise_filters"] == 2


def test_a_missing_rule_file_is_named(tmp_path):
    process = run(tmp_path, custom_rules=["there/is/none.smk"], methods={"noisy": {}})
    assert process.returncode != 0 and "The rule file there/is/none.smk of custom_rules does not exist" in process.stdout


def by_method(rows) -> dict[str, list[dict]]:
    found: dict[str, list[dict]] = {}
    for row in rows:
        found.setdefault(row["method"], []).append(row)
    return found

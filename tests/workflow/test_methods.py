"""Methods that come into the workflow from elsewhere, or with tuned options."""

import csv
import json

import numpy as np

from tests.workflow.conftest import snakemake, write_config, write_volumes

RULE = """
rule denoise_mine:
    input:
        noisy="<results>/noisy/{dataset}/{noise}/test.npy",
    output:
        stack="<results>/denoised/{dataset}/{noise}/mine.npy",
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
    process = run(tmp_path, "cp {input.noisy} {output.stack}")
    assert process.returncode == 0, process.stdout[-2000:]
    assert "My method" in (tmp_path / "out" / "tables" / "lits.md").read_text()
    with open(tmp_path / "out" / "scores" / "lits.csv", newline="") as stream:
        scores = {method: [row["psnr"] for row in rows] for method, rows in by_method(csv.DictReader(stream)).items()}
    assert scores["mine"] == scores["noisy"]


def test_a_wrong_stack_is_refused_with_its_file_and_what_is_wrong(tmp_path):
    np.save(tmp_path / "small.npy", np.zeros((4, 16, 16), np.uint8))
    process = run(tmp_path, "cp small.npy {output.stack}")
    assert process.returncode != 0
    log = (tmp_path / "out" / "logs" / "score" / "lits" / "gaussian.log").read_text()
    assert "denoised/lits/gaussian/mine.npy" in log and "16" in log


def test_a_tuned_method_stands_beside_its_default(tmp_path):
    methods = {"median_filter": {"tune": "both"}}
    process = run(tmp_path, methods=methods)
    assert process.returncode == 0, process.stdout[-2000:]
    assert "(tuned)" in (tmp_path / "out" / "tables" / "lits.md").read_text()
    chosen = json.loads((tmp_path / "out" / "tuned" / "lits" / "gaussian" / "median_filter_tuned.json").read_text())
    assert "size" in chosen


def test_a_method_of_a_rule_that_does_not_exist_is_named(tmp_path):
    process = run(tmp_path, methods={"noisy": {}, "mine": {"rule": True}})
    assert process.returncode != 0 and "denoised/lits/gaussian/mine.npy" in process.stdout


def by_method(rows) -> dict[str, list[dict]]:
    found: dict[str, list[dict]] = {}
    for row in rows:
        found.setdefault(row["method"], []).append(row)
    return found

"""What is on the screen after a mistake: one sentence, the way to the log, and no traceback of Snakemake."""

from tests.helpers.workflow import snakemake, write_config, write_volumes


def test_a_job_that_fails_ends_with_its_sentence_and_its_log(tmp_path):
    write_volumes(tmp_path / "volumes", count=1)
    for path in (tmp_path / "volumes").glob("volume-*"):
        path.write_text("not an image")
    write_config(tmp_path)
    process = snakemake(tmp_path, "out/data/lits/train.npy", "--configfile", "config.yaml")
    assert process.returncode == 1 and "Traceback" not in process.stdout and "CalledProcessError" not in process.stdout
    lines = process.stdout.splitlines()
    summary = lines[lines.index("1 job failed:") :]
    assert summary[1].startswith("  Sampling images of lits (sample_images): ") and summary[1].rstrip().endswith(".")
    assert summary[2] == "    Log: out/logs/data/lits.log"
    assert summary[1].partition("): ")[2] in (tmp_path / "out" / "logs" / "data" / "lits.log").read_text()
    assert "the same command continues from here" in summary[3]


def test_a_target_that_no_rule_makes(tmp_path):
    write_config(tmp_path)
    target = "out/noisy/lits/gausian/train.npy"
    process = snakemake(tmp_path, target, "--configfile", "config.yaml", "--dry-run")
    assert process.returncode == 1 and "Traceback" not in process.stdout
    assert f"No rule makes {target}: for 'gausian', did you mean 'gaussian'?" in process.stdout
    assert "--list-target-rules" in process.stdout


def test_a_config_that_does_not_exist(tmp_path):
    process = snakemake(tmp_path, "--configfile", "missing.yaml")
    assert process.returncode == 1
    assert process.stdout.splitlines()[1:] == ["The config missing.yaml cannot be read: No such file or directory."]

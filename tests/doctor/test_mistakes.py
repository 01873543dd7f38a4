"""Mistakes on Snakemake's command line, which the profile finds before Snakemake does."""

import sys

import pytest
import yaml
import yte

from tests.helpers.workflow import ROOT

PROFILE = ROOT / "profiles" / "default" / "config.yaml"


def start(monkeypatch, *arguments: str) -> dict:
    """Read the profile as Snakemake reads it, called with these arguments."""
    monkeypatch.setattr(sys, "argv", ["snakemake", *arguments])
    return yte.process_yaml(PROFILE.read_text(), require_use_yte=True)


def sentence(monkeypatch, *arguments: str) -> str:
    with pytest.raises(SystemExit) as stopped:
        start(monkeypatch, *arguments)
    assert isinstance(stopped.value.code, str) and "\n" not in stopped.value.code  # printed, with exit status 1
    return stopped.value.code


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "a.yaml cannot be read: No such file or directory"),
        (b"a: {b: 1\nc: 2\n", "a.yaml is not a YAML file"),
        (b"a:\n\tb: 1\n", "line 2, column 1"),
        (b"\xff\xfe\x00", "a.yaml is not a YAML file"),
        (b"", "a.yaml has no keys"),
        (b"- a\n", "a.yaml has no keys"),
    ],
)
def test_a_config_that_cannot_be_read_is_named_in_one_sentence(monkeypatch, tmp_path, content, words):
    path = tmp_path / "a.yaml"
    if content is not None:
        path.write_bytes(content)
    assert words in sentence(monkeypatch, "--cores", "2", "--configfile", str(path))


def test_two_options_of_which_snakemake_would_read_one_are_refused(monkeypatch):
    demo = str(ROOT / "config/demo.yaml")
    assert "write all files behind one" in sentence(monkeypatch, "--configfile", demo, "--cores", "2", "--configfile", demo)


def test_a_folder_is_no_config(monkeypatch, tmp_path):
    assert "Is a directory" in sentence(monkeypatch, "--configfile", str(tmp_path))


@pytest.mark.parametrize("option", ["--configfile", "--configfiles"])
@pytest.mark.parametrize("made", [False, True])
def test_a_target_after_the_config_is_told_where_to_stand(monkeypatch, tmp_path, option, made):
    target = tmp_path / "lits.md"
    if made:  # by an earlier run
        target.write_text("| Method | PSNR: dB |\n")
    said = sentence(monkeypatch, option, str(ROOT / "config" / "demo.yaml"), str(target))
    assert f"The config {target}" in said and "write a target before it" in said


def test_a_value_without_a_key_is_told_where_to_stand(monkeypatch):
    said = sentence(monkeypatch, "--config", "seed=3", "fair")
    assert "--config fair" in said and "KEY=VALUE" in said and "write a target before it" in said


@pytest.mark.parametrize("config", ["config/demo.yaml", "config/config.yaml"])
def test_a_right_command_has_the_keys_of_the_profile_alone(monkeypatch, config):
    arguments = ("-n", "all", "-c2", "--config", "seed=3", "--conda-prefix", "x", "--configfile", str(ROOT / config))
    written = yaml.safe_load(PROFILE.read_text())
    assert start(monkeypatch, *arguments) == {key: value for key, value in written.items() if not key.startswith("__")}

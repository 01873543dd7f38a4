"""What `fplbench fetch` shows, writes and checks before it downloads a data set."""

import sys

import pytest
from typer.testing import CliRunner

from fplbench.cli import app
from fplbench.downloads.lidc import fetch_lidc
from fplbench.downloads.rsna import fetch_rsna
from fplbench.errors import InputError


@pytest.mark.parametrize("name", ["lidc", "rsna", "lits"])
def test_a_folder_that_cannot_be_written_is_reported_before_the_download(name, tmp_path):
    (tmp_path / "file").touch()
    result = CliRunner().invoke(app, ["fetch", name, str(tmp_path / "file")])
    assert isinstance(result.exception, InputError) and "it is a file. Choose a folder" in str(result.exception)


@pytest.mark.parametrize(("call", "package"), [(fetch_lidc, "idc-index"), (fetch_rsna, "kagglehub")])
def test_a_missing_package_says_how_to_install_it(call, package, tmp_path, monkeypatch):
    for name in ("idc_index", "kagglehub"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(InputError, match=rf"needs the package {package}: run `pip install"):
        call(tmp_path)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("lidc", ["CC BY 3.0", "Armato", "No account"]),
        ("rsna", ["not to be redistributed", "Shih", "Kaggle account", "Accept the rules"]),
        ("lits", ["CC BY-SA 4.0", "Bilic", "No account"]),
    ],
)
def test_licence_citation_and_requirements_are_shown_and_the_first_two_saved(name, words, tmp_path, monkeypatch):
    for package in ("idc_index", "kagglehub"):
        monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.setattr("fplbench.downloads.lits.fetch_lits", refuse)
    result = CliRunner().invoke(app, ["fetch", name, str(tmp_path)])
    assert isinstance(result.exception, InputError)
    assert all(word in result.output for word in words)
    kept = (tmp_path / "DATA_LICENCE.md").read_text()
    assert words[0] in kept and words[1] in kept


def refuse(folder):
    raise InputError("no network")

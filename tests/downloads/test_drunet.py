"""Download of DRUNet's published weights."""

import hashlib
import json

import pytest
import torch
from typer.testing import CliRunner

from fplbench.cli import app
from fplbench.downloads.drunet import SOURCES, fetch_drunet
from fplbench.errors import InputError
from fplbench.networks import DRUNet


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A file like the published one."""
    path = tmp_path_factory.mktemp("server") / "drunet_gray.pth"
    torch.save({name: torch.zeros(()).expand(tensor.shape) for name, tensor in DRUNet().state_dict().items()}, path)
    return path


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_both_published_sources_are_known():
    assert [source.split("/")[2] for source in SOURCES] == ["github.com", "huggingface.co"]
    assert all(source.startswith("https://") and source.endswith("/drunet_gray.pth") for source in SOURCES)


def test_the_downloaded_file_is_checked_and_its_hash_recorded(served, tmp_path):
    path = fetch_drunet(tmp_path / "new" / "drunet_gray.pth", sources=(served.as_uri(),))
    assert path.read_bytes() == served.read_bytes()
    record = json.loads((tmp_path / "new" / "drunet_gray.pth.json").read_text())
    assert record == {"sha256": sha256(served), "source": served.as_uri()}


def test_the_second_source_is_tried_when_the_first_fails(served, tmp_path):
    (tmp_path / "page.html").write_text("<html>moved</html>")
    sources = ((tmp_path / "missing.pth").as_uri(), (tmp_path / "page.html").as_uri(), served.as_uri())
    assert fetch_drunet(tmp_path / "drunet.pth", sources=sources).exists()


def test_a_complete_file_is_not_downloaded_again(served, tmp_path):
    path = tmp_path / "drunet.pth"
    path.write_bytes(served.read_bytes())
    assert fetch_drunet(path, sources=()) == path
    assert json.loads((tmp_path / "drunet.pth.json").read_text())["sha256"] == sha256(served)
    assert fetch_drunet(path, sources=()) == path


def test_a_file_that_changed_since_it_was_recorded_is_refused(served, tmp_path):
    path = fetch_drunet(tmp_path / "drunet.pth", sources=(served.as_uri(),))
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(InputError, match="it is damaged or a different file"):
        fetch_drunet(path, sources=())


@pytest.mark.parametrize("kind", ["another hash", "not DRUNet", "unreachable"])
def test_an_unusable_download_leaves_nothing_behind(served, tmp_path, kind):
    folder = tmp_path / "weights"
    source, digest = served, None
    if kind == "another hash":
        digest = "0" * 64
    else:
        source = tmp_path / "other.pth"
    if kind == "not DRUNet":
        torch.save({"weight": torch.zeros(3)}, source)
    with pytest.raises(InputError, match="another way and save it as"):
        fetch_drunet(folder / "drunet.pth", digest, sources=(source.as_uri(),))
    assert list(folder.iterdir()) == []


def test_the_command_accepts_a_file_that_is_there(served, tmp_path):
    path = tmp_path / "drunet.pth"
    path.write_bytes(served.read_bytes())
    result = CliRunner().invoke(app, ["fetch", "drunet", str(path), "--sha256", sha256(served)])
    assert result.exit_code == 0
    assert str(path) in result.output.replace("\n", "")

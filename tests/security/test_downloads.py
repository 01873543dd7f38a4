"""Where downloads come from: by https alone, and compared with a hash that the code holds, where the owner publishes one."""

import ast
import re
import urllib.error
import urllib.request
from email.message import Message
from pathlib import Path

import pytest

import fplbench.downloads
from fplbench.downloads import lidc_annotations, lits, sample
from fplbench.downloads.connection import _SecureRedirects, open_url

FILES = sorted(Path(fplbench.downloads.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_address_is_of_https(file):
    texts = [node.value for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Constant)]
    found = [address for text in texts if isinstance(text, str) for address in re.findall(r"\w+://[^\s>)]*", text)]
    assert all(address.startswith("https://") for address in found), found


@pytest.mark.parametrize("requirement", [sample.REQUIREMENT, lidc_annotations.REQUIREMENT])
def test_packages_are_named_with_version_and_hash(requirement):
    assert re.fullmatch(r"\w+==[\d.]+ --hash=sha256:[0-9a-f]{64}", requirement)


def test_the_database_and_the_archive_have_hashes():
    assert re.fullmatch("[0-9a-f]{64}", lidc_annotations.SHA256) and re.fullmatch("[0-9a-f]{32}", lits.MD5)


@pytest.mark.parametrize("target", ["http://example.org/weights.pth", "ftp://example.org/x", "HTTP://EXAMPLE.ORG/"])
def test_a_redirect_away_from_https_is_not_followed(target):
    request = urllib.request.Request("https://example.org/weights.pth")
    with pytest.raises(urllib.error.URLError, match="which is not https"):
        _SecureRedirects().redirect_request(request, None, 302, "Found", Message(), target)


def test_a_redirect_within_https_is_followed():
    request = urllib.request.Request("https://example.org/a")
    found = _SecureRedirects().redirect_request(request, None, 302, "Found", Message(), "https://cdn.example.org/b")
    assert found.full_url == "https://cdn.example.org/b"


def test_a_local_file_opens(tmp_path):
    (tmp_path / "a").write_bytes(b"content")
    with open_url((tmp_path / "a").as_uri()) as stream:
        assert stream.read() == b"content"


def test_no_download_opens_an_address_in_another_way():
    other = re.compile(r"urlopen\(|urlretrieve|requests\.|HTTPS?Connection\(")
    callers = [file.stem for file in FILES if other.search(file.read_text())]
    assert callers == []

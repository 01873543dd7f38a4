"""Download of LiTS: resumed, verified and unpacked, from a local server."""

import hashlib
import io
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from fplbench.downloads.lits import fetch_lits
from fplbench.errors import InputError

MEMBERS = {
    "Task03_Liver/imagesTr/liver_0.nii.gz": b"volume" * 5000,
    "Task03_Liver/imagesTr/._liver_0.nii.gz": b"resource fork",
    "Task03_Liver/labelsTr/liver_0.nii.gz": b"mask" * 100,
    "Task03_Liver/imagesTs/liver_9.nii.gz": b"test" * 100,
    "Task03_Liver/dataset.json": b"{}",
}


@pytest.fixture
def archive():
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, content in MEMBERS.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        escape = tarfile.TarInfo("Task03_Liver/imagesTr/../../../escape")
        escape.size = 1
    return stream.getvalue()


class Server:
    """Serves one file; supports ranges, and can close the connection after a number of bytes."""

    def __init__(self, content):
        self.content, self.limit, self.ranges, self.requests = content, None, True, []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                asked = self.headers.get("Range")
                outer.requests.append(asked)
                start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and outer.ranges else 0
                if start >= len(outer.content):
                    self.send_error(416)
                    return
                self.send_response(206 if start else 200)
                self.send_header("Content-Length", str(len(outer.content) - start))
                self.end_headers()
                self.wfile.write(outer.content[start:][: outer.limit])

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/Task03_Liver.tar"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def server(archive, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    server = Server(archive)
    yield server
    server.server.shutdown()
    server.server.server_close()


def fetch(server, folder, content=None):
    fetch_lits(folder, server.url, hashlib.md5(content or server.content).hexdigest())


def files_below(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_training_volumes_and_masks_are_unpacked_and_the_archive_is_deleted(server, tmp_path):
    fetch(server, tmp_path)
    wanted = {name for name in MEMBERS if "imagesTs" not in name and "._" not in name}
    assert files_below(tmp_path) == wanted | {"Task03_Liver/.complete"}
    assert all((tmp_path / name).read_bytes() == MEMBERS[name] for name in wanted)


def test_a_second_call_asks_the_server_for_nothing(server, tmp_path):
    fetch(server, tmp_path)
    asked = len(server.requests)
    fetch(server, tmp_path)
    assert len(server.requests) == asked


def test_an_interrupted_download_is_resumed(server, tmp_path):
    server.limit = 4321
    with pytest.raises(InputError, match="stopped at 4321 bytes"):
        fetch(server, tmp_path)
    server.limit = None
    fetch(server, tmp_path)
    assert server.requests == [None, "bytes=4321-"]
    assert (tmp_path / "Task03_Liver/dataset.json").exists()


def test_without_support_for_resuming_the_download_starts_again(server, tmp_path):
    (tmp_path / "Task03_Liver.tar.part").write_bytes(b"something else")
    server.ranges = False
    fetch(server, tmp_path)
    assert (tmp_path / "Task03_Liver/dataset.json").exists()


def test_a_complete_download_is_only_verified(server, tmp_path):
    (tmp_path / "Task03_Liver.tar.part").write_bytes(server.content)
    fetch(server, tmp_path)
    assert (tmp_path / "Task03_Liver/dataset.json").exists()


def test_a_file_with_a_wrong_checksum_is_deleted(server, tmp_path):
    with pytest.raises(InputError, match="wrong MD5 sum"):
        fetch(server, tmp_path, content=b"another")
    assert files_below(tmp_path) == set()


def test_interrupted_unpacking_is_resumed(server, tmp_path, archive):
    (tmp_path / "Task03_Liver.tar").write_bytes(archive)
    half = tmp_path / "Task03_Liver/imagesTr/liver_0.nii.gz"
    half.parent.mkdir(parents=True)
    half.write_bytes(b"vol")
    fetch(server, tmp_path)
    assert server.requests == [] and half.read_bytes() == MEMBERS["Task03_Liver/imagesTr/liver_0.nii.gz"]


def test_names_that_lead_out_of_the_folder_are_refused(server, tmp_path):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        member = tarfile.TarInfo("Task03_Liver/imagesTr/../../../escaped")
        member.size = 3
        tar.addfile(member, io.BytesIO(b"bad"))
    server.content = stream.getvalue()
    with pytest.raises(InputError, match="leads out of the folder"):
        fetch(server, tmp_path / "inner")
    assert not (tmp_path / "escaped").exists()


def test_an_unreachable_server_is_reported_in_a_sentence(tmp_path):
    with pytest.raises(InputError, match="stopped at 0 bytes: the server cannot be reached") as error:
        fetch_lits(tmp_path, "http://127.0.0.1:9/none.tar", "0")
    assert "urlopen" not in str(error.value)


def test_a_truncated_archive_is_reported_in_a_sentence(tmp_path, archive):
    (tmp_path / "Task03_Liver.tar").write_bytes(archive[:12_000])
    with pytest.raises(InputError, match=r"Task03_Liver\.tar is damaged .*: delete it and run the same command again"):
        fetch_lits(tmp_path)


def test_the_published_sum_is_the_default():
    assert np.array_equal(fetch_lits.__defaults__[1], "a90ec6c4aa7f6a3d087205e23d4e6397")

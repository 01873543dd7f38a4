"""Downloads of LIDC-IDRI and RSNA, against stand-ins for idc-index 0.13 and kagglehub 1.0."""

import errno
import sys
from pathlib import Path
from types import ModuleType

import pandas
import pytest
from typer.testing import CliRunner

from fplbench.cli import app
from fplbench.downloads import fetch
from fplbench.downloads.connection import check_reachable
from fplbench.errors import InputError


def index(patients=4):
    """An index of the Imaging Data Commons: CT and DX of LIDC, and a CT of another collection. P3 is the smallest."""
    rows = []
    for patient in range(patients):
        rows.append(("lidc_idri", f"P{patient}", "CT", f"1.{patient}", 100.0 - 10 * patient, 3))
        rows.append(("lidc_idri", f"P{patient}", "DX", f"2.{patient}", 1.0, 2))
    rows.append(("nlst", "N1", "CT", "3.1", 0.1, 1))
    columns = ("collection_id", "PatientID", "Modality", "SeriesInstanceUID", "series_size_MB", "instanceCount")
    return pandas.DataFrame(rows, columns=columns)


class Client:
    """Stands in for idc_index.IDCClient."""

    calls: list[dict]
    missing = 0

    def __init__(self):
        self.index = index()

    @classmethod
    def client(cls):
        return cls()

    def download_from_selection(self, downloadDir, *, collection_id, seriesInstanceUID, use_s5cmd_sync):
        type(self).calls.append({"series": seriesInstanceUID, "sync": use_s5cmd_sync, "collection": collection_id})
        for series in seriesInstanceUID:
            folder = Path(downloadDir) / "lidc_idri" / "patient" / "study" / f"CT_{series}"
            folder.mkdir(parents=True, exist_ok=True)
            for number in range(3 - type(self).missing):
                (folder / f"{number}.dcm").touch()


@pytest.fixture
def idc(monkeypatch):
    package, inner = ModuleType("idc_index"), ModuleType("idc_index.index")
    inner.IDCClientInsufficientDiskSpaceError = type("IDCClientInsufficientDiskSpaceError", (Exception,), {})
    package.IDCClient = client = type("FakeClient", (Client,), {"calls": []})
    monkeypatch.setitem(sys.modules, "idc_index", package)
    monkeypatch.setitem(sys.modules, "idc_index.index", inner)
    monkeypatch.setattr(fetch, "check_reachable", lambda url, what: None)
    client.no_room = inner.IDCClientInsufficientDiskSpaceError
    return client


def test_lidc_takes_the_ct_series_of_its_collection_and_can_resume(idc, tmp_path):
    fetch.fetch_lidc(tmp_path)
    (call,) = idc.calls
    assert call == {"series": ["1.0", "1.1", "1.2", "1.3"], "sync": True, "collection": "lidc_idri"}


def test_a_number_of_patients_takes_the_smallest(idc, tmp_path):
    fetch.fetch_lidc(tmp_path, patients=2)
    assert idc.calls[0]["series"] == ["1.2", "1.3"]


def test_a_series_with_missing_files_is_reported(idc, tmp_path):
    idc.missing = 1
    with pytest.raises(InputError, match=r"4 of 4 series are incomplete, such as 1\.0\. Run the same command again"):
        fetch.fetch_lidc(tmp_path)


@pytest.mark.parametrize(
    ("kind", "message"),
    [("network", "the server cannot be reached"), ("full", "No space left on device"), ("disk", "needs 128 GB")],
)
def test_a_download_that_stops_is_a_sentence(idc, tmp_path, monkeypatch, kind, message):
    faults = {"network": OSError("<urlopen error x>"), "full": OSError(errno.ENOSPC, "No space left on device")}

    def stop(*_, **__):
        raise faults.get(kind) or idc.no_room("needs 128 GB")

    monkeypatch.setattr(idc, "download_from_selection", stop)
    with pytest.raises(InputError, match=f"The download of LIDC-IDRI stopped: {message}.*Run the same command again") as error:
        fetch.fetch_lidc(tmp_path)
    assert "urlopen" not in str(error.value)


def test_without_a_network_lidc_does_not_start(idc, tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "check_reachable", lambda url, what: check_reachable("http://127.0.0.1:9", what))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(
        InputError, match=r"^LIDC-IDRI cannot be downloaded: the server cannot be reached.*access to the internet"
    ):
        fetch.fetch_lidc(tmp_path)
    assert not idc.calls


def test_an_index_without_the_collection_asks_for_a_newer_one(idc, tmp_path, monkeypatch):
    with pytest.raises(InputError, match="newer idc-index"):
        fetch.choose_series(index().query("collection_id == 'nlst'"), None)


@pytest.fixture
def kaggle(monkeypatch, tmp_path):
    """Stands in for kagglehub: downloads three files into its cache, or raises what `fault` says."""
    package, exceptions = ModuleType("kagglehub"), ModuleType("kagglehub.exceptions")
    for name in ("BackendError", "CredentialError", "DataCorruptionError", "UnauthenticatedError"):
        setattr(exceptions, name, type(name, (Exception,), {}))

    class KaggleApiHTTPError(OSError):
        def __init__(self, message, response=None):
            super().__init__(message)
            self.response = response

    exceptions.KaggleApiHTTPError = KaggleApiHTTPError
    package.fault, package.exceptions, package.asked = None, exceptions, []

    def competition_download(handle):
        import os

        package.asked.append(handle)
        if package.fault:
            raise package.fault
        folder = Path(os.environ["KAGGLEHUB_CACHE"]) / "competitions" / handle
        (folder / "stage_2_train_images").mkdir(parents=True)
        for number in range(3):
            (folder / "stage_2_train_images" / f"{number}.dcm").touch()
        (folder / "stage_2_train_labels.csv").touch()
        return str(folder)

    package.competition_download = competition_download
    monkeypatch.setitem(sys.modules, "kagglehub", package)
    monkeypatch.setitem(sys.modules, "kagglehub.exceptions", exceptions)
    monkeypatch.setenv("KAGGLEHUB_CACHE", "")
    monkeypatch.setattr(fetch, "RADIOGRAPHS", 3)
    return package


def test_rsna_ends_in_the_folder_and_the_cache_goes(kaggle, tmp_path):
    fetch.fetch_rsna(tmp_path)
    assert kaggle.asked == ["rsna-pneumonia-detection-challenge"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["stage_2_train_images", "stage_2_train_labels.csv"]
    fetch.fetch_rsna(tmp_path)
    assert len(kaggle.asked) == 1


def test_too_few_images_are_reported(kaggle, tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "RADIOGRAPHS", 26684)
    with pytest.raises(InputError, match="has 3 of 26684 training images"):
        fetch.fetch_rsna(tmp_path)


@pytest.mark.parametrize("status", [401, 403])
def test_rules_that_are_not_accepted_are_explained(kaggle, tmp_path, status):
    response = ModuleType("response")
    response.status_code = status
    kaggle.fault = kaggle.exceptions.KaggleApiHTTPError("Forbidden", response)
    with pytest.raises(InputError, match="accepted the rules"):
        fetch.fetch_rsna(tmp_path)


@pytest.mark.parametrize("name", ["CredentialError", "UnauthenticatedError"])
def test_a_missing_account_is_explained(kaggle, tmp_path, name):
    kaggle.fault = getattr(kaggle.exceptions, name)("no token")
    with pytest.raises(InputError, match="account"):
        fetch.fetch_rsna(tmp_path)


def test_a_lost_connection_can_be_taken_up_again(kaggle, tmp_path):
    kaggle.fault = OSError("HTTPSConnectionPool(host='www.kaggle.com', port=443): Max retries exceeded")
    with pytest.raises(InputError, match=r"Kaggle stopped: the server cannot be reached.*Run the same command again") as error:
        fetch.fetch_rsna(tmp_path)
    assert "Pool" not in str(error.value)


def test_a_damaged_archive_is_a_sentence(kaggle, tmp_path):
    kaggle.fault = kaggle.exceptions.DataCorruptionError("wrong md5")
    with pytest.raises(InputError, match="Kaggle stopped: wrong md5"):
        fetch.fetch_rsna(tmp_path)


@pytest.mark.parametrize("name", ["lidc", "rsna", "lits"])
def test_a_folder_that_cannot_be_written_is_named_before_the_download(name, tmp_path):
    (tmp_path / "file").touch()
    result = CliRunner().invoke(app, ["fetch", name, str(tmp_path / "file")])
    assert isinstance(result.exception, InputError) and "it is a file. Name a folder" in str(result.exception)


@pytest.mark.parametrize(("call", "package"), [(fetch.fetch_lidc, "idc-index"), (fetch.fetch_rsna, "kagglehub")])
def test_a_missing_package_says_how_to_install_it(call, package, tmp_path, monkeypatch):
    for name in ("idc_index", "kagglehub"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(InputError, match=rf"needs the package {package}: run `pip install"):
        call(tmp_path)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("lidc", ["CC BY 3.0", "Armato", "No account"]),
        ("rsna", ["not to be redistributed", "Shih", "Kaggle account", "accepted the rules"]),
        ("lits", ["CC BY-SA 4.0", "Bilic", "No account"]),
    ],
)
def test_licence_citation_and_needs_are_told_before_the_download_and_kept(name, words, tmp_path, monkeypatch):
    for package in ("idc_index", "kagglehub"):
        monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.setattr("fplbench.downloads.archive.fetch_lits", refuse)
    result = CliRunner().invoke(app, ["fetch", name, str(tmp_path)])
    assert isinstance(result.exception, InputError)
    assert all(word in result.output for word in words)
    kept = (tmp_path / "DATA_LICENCE.md").read_text()
    assert words[0] in kept and words[1] in kept


def refuse(folder):
    raise InputError("no network")

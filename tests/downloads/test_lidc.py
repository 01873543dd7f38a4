"""Download of LIDC-IDRI, with a stand-in for idc-index 0.13."""

import errno
import sys
from pathlib import Path
from types import ModuleType

import pandas
import pytest
from typer.testing import CliRunner

from fplbench.cli import app
from fplbench.downloads import lidc
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
    monkeypatch.setattr(lidc, "check_reachable", lambda url, what: None)
    client.no_room = inner.IDCClientInsufficientDiskSpaceError
    return client


def test_lidc_takes_the_ct_series_of_its_collection_and_can_resume(idc, tmp_path):
    lidc.fetch_lidc(tmp_path)
    (call,) = idc.calls
    assert call == {"series": ["1.0", "1.1", "1.2", "1.3"], "sync": True, "collection": "lidc_idri"}


def test_a_number_of_patients_takes_the_smallest(idc, tmp_path):
    lidc.fetch_lidc(tmp_path, patients=2)
    assert idc.calls[0]["series"] == ["1.2", "1.3"]


def test_a_number_of_series_takes_the_smallest_whoever_they_belong_to(idc, tmp_path, monkeypatch):
    """P0 has a second series of 5 MB: the smallest of all. As a patient, P0 has the most data."""
    second = ("lidc_idri", "P0", "CT", "1.9", 5.0, 3)
    client = Client()
    more = pandas.concat([client.index, pandas.DataFrame([second], columns=client.index.columns)], ignore_index=True)
    monkeypatch.setattr(idc, "__init__", lambda self: setattr(self, "index", more))
    lidc.fetch_lidc(tmp_path, series=2)
    assert idc.calls[0]["series"] == ["1.9", "1.3"]
    assert list(lidc.choose_series(more, patients=1).SeriesInstanceUID) == ["1.3"]


def test_patients_and_series_are_not_chosen_at_once(idc, tmp_path):
    with pytest.raises(InputError, match="--patients and --series are two ways to choose a part of LIDC-IDRI: give one"):
        lidc.fetch_lidc(tmp_path, patients=2, series=2)
    assert not idc.calls


def test_the_command_names_the_parts_and_passes_the_number_of_series_on(idc, tmp_path):
    result = CliRunner().invoke(app, ["fetch", "lidc", str(tmp_path / "lidc"), "--series", "3"])
    assert result.exit_code == 0 and "--series 60 downloads only the 60 smallest CT series (3.3 GB, 57 patients)" in result.output
    assert idc.calls[0]["series"] == ["1.3", "1.2", "1.1"]


def test_a_series_with_missing_files_is_reported(idc, tmp_path):
    idc.missing = 1
    with pytest.raises(InputError, match=r"4 of 4 series are incomplete, for example 1\.0\. Run the same command again"):
        lidc.fetch_lidc(tmp_path)


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
        lidc.fetch_lidc(tmp_path)
    assert "urlopen" not in str(error.value)


def test_without_a_network_lidc_does_not_start(idc, tmp_path, monkeypatch):
    monkeypatch.setattr(lidc, "check_reachable", lambda url, what: check_reachable("http://127.0.0.1:9", what))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(InputError, match=r"^LIDC-IDRI cannot be downloaded: the server cannot be reached.*internet access"):
        lidc.fetch_lidc(tmp_path)
    assert not idc.calls


def test_an_index_without_the_collection_asks_for_a_newer_one(idc, tmp_path, monkeypatch):
    with pytest.raises(InputError, match="newer idc-index"):
        lidc.choose_series(index().query("collection_id == 'nlst'"))

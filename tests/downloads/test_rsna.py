"""Download of the RSNA challenge, with a stand-in for kagglehub 1.0."""

import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

from fplbench.downloads import rsna
from fplbench.errors import InputError


@pytest.fixture
def kaggle(monkeypatch, tmp_path):
    """Stands in for kagglehub: downloads three files into its cache, or raises `fault`."""
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
    monkeypatch.setattr(rsna, "RADIOGRAPHS", 3)
    return package


def test_the_files_are_moved_to_the_folder_and_the_cache_is_deleted(kaggle, tmp_path):
    rsna.fetch_rsna(tmp_path)
    assert kaggle.asked == ["rsna-pneumonia-detection-challenge"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["stage_2_train_images", "stage_2_train_labels.csv"]
    rsna.fetch_rsna(tmp_path)
    assert len(kaggle.asked) == 1


def test_too_few_images_are_reported(kaggle, tmp_path, monkeypatch):
    monkeypatch.setattr(rsna, "RADIOGRAPHS", 26684)
    with pytest.raises(InputError, match="has 3 of 26684 training images"):
        rsna.fetch_rsna(tmp_path)


@pytest.mark.parametrize("status", [401, 403])
def test_rules_that_are_not_accepted_are_explained(kaggle, tmp_path, status):
    response = ModuleType("response")
    response.status_code = status
    kaggle.fault = kaggle.exceptions.KaggleApiHTTPError("Forbidden", response)
    with pytest.raises(InputError, match="Accept the rules"):
        rsna.fetch_rsna(tmp_path)


@pytest.mark.parametrize("name", ["CredentialError", "UnauthenticatedError"])
def test_a_missing_account_is_explained(kaggle, tmp_path, name):
    kaggle.fault = getattr(kaggle.exceptions, name)("no token")
    with pytest.raises(InputError, match="account"):
        rsna.fetch_rsna(tmp_path)


def test_after_a_lost_connection_the_command_can_be_repeated(kaggle, tmp_path):
    kaggle.fault = OSError("HTTPSConnectionPool(host='www.kaggle.com', port=443): Max retries exceeded")
    with pytest.raises(InputError, match=r"Kaggle stopped: the server cannot be reached.*Run the same command again") as error:
        rsna.fetch_rsna(tmp_path)
    assert "Pool" not in str(error.value)


def test_a_damaged_archive_is_reported_in_a_sentence(kaggle, tmp_path):
    kaggle.fault = kaggle.exceptions.DataCorruptionError("wrong md5")
    with pytest.raises(InputError, match="Kaggle stopped: wrong md5"):
        rsna.fetch_rsna(tmp_path)

"""Downloads of the three data sets, by the tools their owners name; only ever started by `fplbench fetch`."""

import logging
import os
import shutil
from pathlib import Path
from typing import Any

from fplbench.datasets.files import walk
from fplbench.datasets.outputs import check_folder
from fplbench.datasets.registry import DATASETS, NOTICE
from fplbench.downloads.connection import check_reachable, why
from fplbench.errors import InputError

log = logging.getLogger(__name__)

AGAIN = "Run the same command again: what has come is kept."
IDC_SERVER = "https://s3.amazonaws.com"  # which idc-index downloads from
COMPETITION = "rsna-pneumonia-detection-challenge"
NEEDS = {
    "lidc": "No account is needed. All of it is 128 GB; --patients 20 takes the 20 patients with the least data (1 GB).",
    "rsna": (
        "A Kaggle account is needed that has accepted the rules of the competition on its page, and a token of that "
        "account in ~/.kaggle or in KAGGLE_API_TOKEN."
    ),
    "lits": "No account is needed. The archive is tens of gigabytes, is unpacked beside itself, and is then removed.",
}
RADIOGRAPHS = 26684


def announce(name: str, folder: Path) -> str:
    """Write licence and citation beside the data and return them, with what the download needs, for the screen."""
    dataset = DATASETS[name]
    text = f"# {dataset.label}\n\nLicence: {dataset.licence}\n\nPlease cite: {dataset.citation}\n\nFrom: {dataset.page}\n"
    check_folder(folder)
    (folder / NOTICE).write_text(text)
    return f"{text}\n{NEEDS[name]}\n"


def fetch_lidc(folder: Path, patients: int | None = None) -> None:
    """Download the CT series of LIDC-IDRI from the Imaging Data Commons with idc-index, without an account.

    What is there already is compared and kept. Afterwards the number of files of each series is checked.

    Args:
        folder: gets lidc_idri/<patient>/<study>/CT_<series>/*.dcm.
        patients: take only this many, those with the smallest series; None for all 1,010.

    Raises:
        InputError: idc-index is missing, there is no network, the download failed, or files are missing after it.
    """
    try:
        from idc_index import IDCClient
        from idc_index.index import IDCClientInsufficientDiskSpaceError
    except ImportError:
        raise _not_installed("idc-index") from None
    check_reachable(IDC_SERVER, "LIDC-IDRI")  # the downloader would print its own errors for minutes
    try:
        client = IDCClient.client()
        series = choose_series(client.index, patients)
        log.info("%d CT series of %d patients, %.1f GB.", len(series), series.PatientID.nunique(), _gigabytes(series))
        client.download_from_selection(
            downloadDir=str(folder),
            collection_id="lidc_idri",
            seriesInstanceUID=series.SeriesInstanceUID.tolist(),
            use_s5cmd_sync=True,
        )
    except OSError as error:
        raise InputError(f"The download of LIDC-IDRI stopped: {why(error)}. {AGAIN}") from None
    except (RuntimeError, ValueError, IDCClientInsufficientDiskSpaceError) as error:
        raise InputError(f"The download of LIDC-IDRI stopped: {error}. {AGAIN}") from None
    short = incomplete_series(folder, series)
    if short:
        raise InputError(f"{len(short)} of {len(series)} series are incomplete, such as {short[0]}. {AGAIN}")


def choose_series(index: Any, patients: int | None) -> Any:
    """The CT series of LIDC-IDRI in an index of the Imaging Data Commons: all, or those of the smallest patients."""
    series = index[(index.collection_id == "lidc_idri") & (index.Modality == "CT")]
    if series.empty:
        raise InputError("The index of idc-index has no CT series of LIDC-IDRI: install a newer idc-index.")
    if patients is None:
        return series
    sizes = series.groupby("PatientID").series_size_MB.sum().reset_index()
    chosen = sizes.sort_values(["series_size_MB", "PatientID"]).PatientID[:patients]
    return series[series.PatientID.isin(chosen)]


def incomplete_series(folder: Path, series: Any) -> list[str]:
    """Series that have fewer files below the folder than the index says."""
    counts: dict[str, int] = {}
    for found in walk(folder):
        if found.path.endswith(".dcm"):
            name = Path(found.path).parent.name.removeprefix("CT_")
            counts[name] = counts.get(name, 0) + 1
    expected = zip(series.SeriesInstanceUID, series.instanceCount, strict=True)
    return sorted(name for name, count in expected if counts.get(name, 0) < count)


def fetch_rsna(folder: Path) -> None:
    """Download the RSNA challenge from Kaggle with kagglehub, which resumes, checks and unpacks.

    kagglehub resumes in its cache only, so the cache is put into the data folder for the time of the download; the data
    are moved out of it.

    Raises:
        InputError: kagglehub is missing, the account may not, or the download failed.
    """
    if count_radiographs(folder) >= RADIOGRAPHS:
        log.info("The %d training images are in %s.", RADIOGRAPHS, folder)
        return
    cache = folder / ".kagglehub"
    come = _download_competition(cache)
    found = count_radiographs(come)
    if found < RADIOGRAPHS:
        raise InputError(f"Kaggle's archive has {found} of {RADIOGRAPHS} training images; remove {cache} and try again.")
    for item in sorted(come.iterdir()):
        if not (folder / item.name).exists():
            item.replace(folder / item.name)
    shutil.rmtree(cache)


def _download_competition(cache: Path) -> Path:
    """Folder of the competition, downloaded into a cache."""
    try:
        import kagglehub
        from kagglehub.exceptions import (
            BackendError,
            CredentialError,
            DataCorruptionError,
            KaggleApiHTTPError,
            UnauthenticatedError,
        )
    except ImportError:
        raise _not_installed("kagglehub") from None
    os.environ["KAGGLEHUB_CACHE"] = str(cache)
    try:
        return Path(kagglehub.competition_download(COMPETITION))
    except (CredentialError, UnauthenticatedError):
        raise InputError(f"Kaggle does not know the account. {NEEDS['rsna']}") from None
    except KaggleApiHTTPError as error:
        if error.response is not None and error.response.status_code in (401, 403):
            raise InputError(f"Kaggle refuses the download. {NEEDS['rsna']} See {DATASETS['rsna'].page}/rules.") from None
        raise InputError(f"The download from Kaggle stopped: {why(error)}. {AGAIN}") from None
    except OSError as error:
        raise InputError(f"The download from Kaggle stopped: {why(error)}. {AGAIN}") from None
    except (BackendError, DataCorruptionError, RuntimeError, ValueError) as error:
        raise InputError(f"The download from Kaggle stopped: {error}. {AGAIN}") from None


def count_radiographs(folder: Path) -> int:
    """Number of training images in a folder of the challenge."""
    return sum(1 for _ in (folder / "stage_2_train_images").glob("*.dcm"))


def _not_installed(package: str) -> InputError:
    return InputError(f"This download needs the package {package}: run `pip install -e '.[fetch]'`.")


def _gigabytes(series: Any) -> float:
    return float(series.series_size_MB.sum()) / 1000

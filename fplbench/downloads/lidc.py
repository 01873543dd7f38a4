"""Download of LIDC-IDRI from the Imaging Data Commons, with idc-index."""

import logging
from pathlib import Path
from typing import Any

from fplbench.datasets.files import walk
from fplbench.downloads.connection import RUN_AGAIN, check_reachable, not_installed, why
from fplbench.errors import InputError

log = logging.getLogger(__name__)

IDC_SERVER = "https://s3.amazonaws.com"  # where idc-index downloads from
REQUIREMENTS = (
    "No account is needed. The full data set is 128 GB; --series 60 downloads only the 60 smallest CT series (3.3 GB, 57 "
    "patients), --patients 20 only the 20 patients with the least data (1 GB)."
)


def fetch_lidc(folder: Path, patients: int | None = None, series: int | None = None) -> None:
    """Download the CT series of LIDC-IDRI; no account is needed.

    Files that are already there are compared and kept. After the download the number of files in each series is checked.

    Args:
        folder: receives lidc_idri/<patient>/<study>/CT_<series>/*.dcm.
        patients: download only this many patients, those with the least data; None downloads all 1,010.
        series: download only this many CT series, the smallest; None downloads all 1,018.

    Raises:
        InputError: numbers of patients and of series are both given, idc-index is not installed, there is no network, the
            download failed, or files are missing afterwards.
    """
    if patients is not None and series is not None:
        raise InputError("--patients and --series are two ways to choose a part of LIDC-IDRI: give one of them.")
    try:
        from idc_index import IDCClient
        from idc_index.index import IDCClientInsufficientDiskSpaceError
    except ImportError:
        raise not_installed("idc-index") from None
    check_reachable(IDC_SERVER, "LIDC-IDRI")  # otherwise the downloader prints its own errors for minutes
    try:
        rows = _download(IDCClient.client(), folder, patients, series)
    except OSError as error:
        raise InputError(f"The download of LIDC-IDRI stopped: {why(error)}. {RUN_AGAIN}") from None
    except (RuntimeError, ValueError, IDCClientInsufficientDiskSpaceError) as error:
        raise InputError(f"The download of LIDC-IDRI stopped: {error}. {RUN_AGAIN}") from None
    incomplete = incomplete_series(folder, rows)
    if incomplete:
        raise InputError(f"{len(incomplete)} of {len(rows)} series are incomplete, for example {incomplete[0]}. {RUN_AGAIN}")


def choose_series(index: Any, patients: int | None = None, series: int | None = None) -> Any:
    """Select the CT series of LIDC-IDRI from an index of the Imaging Data Commons.

    Args:
        index: the data frame of idc-index.
        patients: keep only this many patients, those with the least data; None keeps all.
        series: keep only this many series, the smallest; None keeps all.

    Returns:
        The rows of the series.

    Raises:
        InputError: the index does not list LIDC-IDRI.
    """
    rows = index[(index.collection_id == "lidc_idri") & (index.Modality == "CT")]
    if rows.empty:
        raise InputError("The index of idc-index has no CT series of LIDC-IDRI: install a newer idc-index.")
    if series is not None:
        return rows.sort_values(["series_size_MB", "SeriesInstanceUID"])[:series]
    if patients is None:
        return rows
    sizes = rows.groupby("PatientID").series_size_MB.sum().reset_index()
    chosen = sizes.sort_values(["series_size_MB", "PatientID"]).PatientID[:patients]
    return rows[rows.PatientID.isin(chosen)]


def incomplete_series(folder: Path, series: Any) -> list[str]:
    """Series with fewer files in the folder than the index lists."""
    counts: dict[str, int] = {}
    for found in walk(folder):
        if found.path.endswith(".dcm"):
            name = Path(found.path).parent.name.removeprefix("CT_")
            counts[name] = counts.get(name, 0) + 1
    expected = zip(series.SeriesInstanceUID, series.instanceCount, strict=True)
    return sorted(name for name, count in expected if counts.get(name, 0) < count)


def _download(client: Any, folder: Path, patients: int | None, series: int | None) -> Any:
    """Download the chosen series; returns their rows of the index."""
    rows = choose_series(client.index, patients, series)
    gigabytes = float(rows.series_size_MB.sum()) / 1000
    log.info("%d CT series of %d patients, %.1f GB.", len(rows), rows.PatientID.nunique(), gigabytes)
    client.download_from_selection(
        downloadDir=str(folder),
        collection_id="lidc_idri",
        seriesInstanceUID=rows.SeriesInstanceUID.tolist(),
        use_s5cmd_sync=True,
    )
    return rows

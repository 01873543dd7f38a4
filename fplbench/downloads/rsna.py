"""Download of the RSNA Pneumonia Detection Challenge from Kaggle, with kagglehub."""

import logging
import os
import shutil
from pathlib import Path

from fplbench.datasets.registry import LOADERS
from fplbench.downloads.connection import RUN_AGAIN, not_installed, why
from fplbench.errors import InputError

log = logging.getLogger(__name__)

COMPETITION = "rsna-pneumonia-detection-challenge"
REQUIREMENTS = (
    "A Kaggle account is needed. Accept the rules of the competition on its page, and put an API token of the account in "
    "~/.kaggle or in KAGGLE_API_TOKEN."
)
RADIOGRAPHS = 26684


def fetch_rsna(folder: Path) -> None:
    """Download the challenge with kagglehub, which resumes, verifies and unpacks.

    kagglehub can only resume in its own cache. The cache is therefore kept in the data folder during the download, and
    the files are moved out of it at the end.

    Args:
        folder: receives stage_2_train_images and the other files of the challenge.

    Raises:
        InputError: kagglehub is not installed, the account has no access, or the download failed.
    """
    if count_radiographs(folder) >= RADIOGRAPHS:
        log.info("The %d training images are in %s.", RADIOGRAPHS, folder)
        return
    cache = folder / ".kagglehub"
    downloaded = _download(cache)
    found = count_radiographs(downloaded)
    if found < RADIOGRAPHS:
        raise InputError(
            f"Kaggle's archive has {found} of {RADIOGRAPHS} training images: delete {cache} and run the same command again."
        )
    for item in sorted(downloaded.iterdir()):
        if not (folder / item.name).exists():
            item.replace(folder / item.name)
    shutil.rmtree(cache)


def count_radiographs(folder: Path) -> int:
    """Number of training images in a folder of the challenge."""
    return sum(1 for _ in (folder / "stage_2_train_images").glob("*.dcm"))


def _download(cache: Path) -> Path:
    """Download the competition into a cache; returns the folder with its files."""
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
        raise not_installed("kagglehub") from None
    os.environ["KAGGLEHUB_CACHE"] = str(cache)
    try:
        return Path(kagglehub.competition_download(COMPETITION))
    except (CredentialError, UnauthenticatedError):
        raise InputError(f"Kaggle does not recognise the account. {REQUIREMENTS}") from None
    except KaggleApiHTTPError as error:
        if error.response is not None and error.response.status_code in (401, 403):
            raise InputError(f"Kaggle refused the download. {REQUIREMENTS} See {LOADERS['rsna'].page}/rules.") from None
        raise InputError(f"The download from Kaggle stopped: {why(error)}. {RUN_AGAIN}") from None
    except OSError as error:
        raise InputError(f"The download from Kaggle stopped: {why(error)}. {RUN_AGAIN}") from None
    except (BackendError, DataCorruptionError, RuntimeError, ValueError) as error:
        raise InputError(f"The download from Kaggle stopped: {error}. {RUN_AGAIN}") from None

"""Download of LiTS as Task03_Liver of the Medical Segmentation Decathlon: one archive, resumable and verified."""

import hashlib
import http.client
import logging
import shutil
import tarfile
import urllib.error
import urllib.request
from pathlib import Path, PurePosixPath

from fplbench.downloads.connection import open_url, why
from fplbench.errors import InputError
from fplbench.files import replacing

log = logging.getLogger(__name__)

URL = "https://msd-for-monai.s3-us-west-2.amazonaws.com/Task03_Liver.tar"
MD5 = "a90ec6c4aa7f6a3d087205e23d4e6397"
FOLDER = "Task03_Liver"
WANTED = (f"{FOLDER}/imagesTr/", f"{FOLDER}/labelsTr/", f"{FOLDER}/dataset.json")
CHUNK = 1 << 20  # bytes
DONE = f"{FOLDER}/.complete"
REQUIREMENTS = "No account is needed. The archive (tens of gigabytes) is unpacked in the same folder and then deleted."


def fetch_lits(folder: Path, url: str = URL, md5: str = MD5) -> None:
    """Download and unpack the training volumes and masks; an interrupted download is resumed.

    Args:
        folder: receives Task03_Liver/{imagesTr,labelsTr}.
        url: address of the archive.
        md5: MD5 sum of the archive.

    Raises:
        InputError: the download stopped, or the downloaded file is damaged.
    """
    if (folder / DONE).exists():
        log.info("The volumes are in %s.", folder / FOLDER)
        return
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / "Task03_Liver.tar"
    if not archive.exists():
        partial = archive.with_suffix(".tar.part")
        try:
            download(url, partial)
        except (OSError, http.client.HTTPException) as error:
            raise InputError(
                f"The download of {url} stopped at {_size(partial)} bytes: {why(error)}. Run the same command again to resume it."
            ) from None
        if checksum(partial) != md5:
            partial.unlink()
            raise InputError(f"The file downloaded from {url} has the wrong MD5 sum and was deleted. Run the same command again.")
        partial.replace(archive)
    unpack(archive, folder)
    (folder / DONE).touch()
    archive.unlink()


def download(url: str, partial: Path) -> None:
    """Download a file, resuming a partial one where the server supports it; otherwise start again.

    Args:
        url: address of the file.
        partial: the file to append to; it need not exist.

    Raises:
        OSError: the connection failed or ended early.
    """
    from tqdm import tqdm

    have = _size(partial)
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        response = open_url(request, timeout=60)
    except urllib.error.HTTPError as error:
        if error.code == 416 and have:  # nothing is missing: the file is complete
            return
        raise
    with response:
        resumed = response.status == 206
        length = response.headers.get("Content-Length")
        total = int(length) + have * resumed if length else None
        with (
            open(partial, "ab" if resumed else "wb") as file,
            tqdm(total=total, initial=have * resumed, unit="B", unit_scale=True, desc=partial.name, disable=None) as bar,
        ):
            while data := response.read(CHUNK):
                file.write(data)
                bar.update(len(data))
    if total is not None and _size(partial) < total:
        raise OSError(f"the connection ended before {total} bytes")


def checksum(path: Path) -> str:
    """MD5 sum of a file in hexadecimal, which is the sum that the decathlon publishes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def unpack(archive: Path, folder: Path) -> None:
    """Unpack the training volumes and masks; files of the right size are left alone.

    Only regular files are written, and names that lead out of the folder are refused.

    Raises:
        InputError: the archive is damaged, or its files cannot be written.
    """
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                target = folder / member.name
                wanted = member.isfile() and member.name.startswith(WANTED) and "/._" not in member.name
                if wanted and _size(target) != member.size:
                    _extract(tar, member, target)
    except (tarfile.TarError, EOFError) as error:
        raise InputError(f"{archive} is damaged ({error}): delete it and run the same command again.") from None
    except OSError as error:
        raise InputError(
            f"{archive} cannot be unpacked: {error.strerror}. Free some space and run the same command again."
        ) from None


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    if ".." in PurePosixPath(member.name).parts:
        raise tarfile.TarError("a name in it leads out of the folder")
    content = tar.extractfile(member)
    assert content is not None  # it is a regular file
    target.parent.mkdir(parents=True, exist_ok=True)
    with content, replacing(target) as temporary, open(temporary, "wb") as file:
        shutil.copyfileobj(content, file)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0

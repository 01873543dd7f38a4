"""LiTS as Task03_Liver of the Medical Segmentation Decathlon: one archive, downloaded piece by piece and checked."""

import hashlib
import http.client
import logging
import shutil
import tarfile
import urllib.error
import urllib.request
from pathlib import Path, PurePosixPath

from fplbench.downloads.connection import why
from fplbench.errors import InputError
from fplbench.files import replacing

log = logging.getLogger(__name__)

URL = "https://msd-for-monai.s3-us-west-2.amazonaws.com/Task03_Liver.tar"
MD5 = "a90ec6c4aa7f6a3d087205e23d4e6397"
FOLDER = "Task03_Liver"
WANTED = (f"{FOLDER}/imagesTr/", f"{FOLDER}/labelsTr/", f"{FOLDER}/dataset.json")
CHUNK = 1 << 20  # bytes
DONE = f"{FOLDER}/.complete"


def fetch_lits(folder: Path, url: str = URL, md5: str = MD5) -> None:
    """Download and unpack the training volumes and masks; an interrupted download goes on where it stopped.

    Args:
        folder: gets Task03_Liver/{imagesTr,labelsTr}.
        url: of the archive.
        md5: of the archive.

    Raises:
        InputError: the download stopped, or what came is damaged.
    """
    if (folder / DONE).exists():
        log.info("The volumes are in %s.", folder / FOLDER)
        return
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / "Task03_Liver.tar"
    if not archive.exists():
        part = archive.with_suffix(".tar.part")
        try:
            download(url, part)
        except (OSError, http.client.HTTPException) as error:
            raise InputError(
                f"The download of {url} stopped at {_size(part)} bytes: {why(error)}. Then run the same command again: it "
                f"goes on there."
            ) from None
        if checksum(part) != md5:
            part.unlink()
            raise InputError(f"What came from {url} has a wrong md5 sum and was removed. Run the same command again.")
        part.replace(archive)
    unpack(archive, folder)
    (folder / DONE).touch()
    archive.unlink()


def download(url: str, part: Path) -> None:
    """Append to `part` what is missing of a file on a server; begins anew where the server cannot resume."""
    from tqdm import tqdm

    have = _size(part)
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        response = urllib.request.urlopen(request, timeout=60)
    except urllib.error.HTTPError as error:
        if error.code == 416 and have:  # the range is empty: all of it is here
            return
        raise
    with response:
        resumed = response.status == 206
        length = response.headers.get("Content-Length")
        total = int(length) + have * resumed if length else None
        with (
            open(part, "ab" if resumed else "wb") as file,
            tqdm(total=total, initial=have * resumed, unit="B", unit_scale=True, desc=part.name, disable=None) as bar,
        ):
            while data := response.read(CHUNK):
                file.write(data)
                bar.update(len(data))
    if total is not None and _size(part) < total:
        raise OSError(f"the connection ended before {total} bytes")


def checksum(path: Path) -> str:
    """The md5 sum of a file, which the decathlon publishes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def unpack(archive: Path, folder: Path) -> None:
    """Unpack training volumes and masks; files that are there in full are left alone.

    Only regular files are written, and a name that leads out of the folder is refused.
    """
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                target = folder / member.name
                wanted = member.isfile() and member.name.startswith(WANTED) and "/._" not in member.name
                if wanted and _size(target) != member.size:
                    _extract(tar, member, target)
    except (tarfile.TarError, EOFError) as error:
        raise InputError(f"{archive} is damaged ({error}): remove it, and run the command again.") from None
    except OSError as error:
        raise InputError(f"{archive} cannot be unpacked: {error.strerror}. Make room, and run the command again.") from None


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    if ".." in PurePosixPath(member.name).parts:
        raise tarfile.TarError("a name in it leads out of the folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tar.extractfile(member) as content, replacing(target) as temporary, open(temporary, "wb") as file:
        shutil.copyfileobj(content, file)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
